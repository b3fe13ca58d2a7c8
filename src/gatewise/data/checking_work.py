"""What `gatewise data check` needs to know of data that ask for more than a label.

They are understood as `gatewise new` understands them, and then prepared and certified like others.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatewise.data.sources import _sounds, _tables
from gatewise.data.sources._tables import Format
from gatewise.data.understanding import (
    Options,
    Understanding,
    image_folders,
    image_tables,
    pairs,
    spoken_texts,
    understand,
)
from gatewise.data.understanding.tables import Table
from gatewise.errors import GatewiseError

OPTIONS = ("objective", "source", "target", "targets", "id", "time", "value", "horizon", "season")
"""That say what is asked."""
OF_TABLES = ("text", "label", "group", "split", "delimiter", "quoting", "header", "encoding")
OF_FOLDERS = ("layout", "name")
PIXELS: dict[str, Any] = {"kind": "image", "height": 8, "width": 8}
"""Features of images: so few pixels that none is smaller than asked for, as nobody asked yet."""


def is_meant(path: Path, given: Mapping[str, Any]) -> bool:
    """Whether data are checked for more than labels: as was said, or since nothing else fits.

    Args:
        path: what is checked.
        given: options of the command, those that were left out not among them.

    Raises:
        GatewiseError: a table cannot be read.
    """
    if _of_images(path, given):
        return True
    if any(option in given for option in OPTIONS):
        return given.get("objective") != "classify"
    if path.is_dir():
        files = _sounds.walk(path).others
        return spoken_texts.is_ljspeech(path) or any(map(pairs.is_memory, files))
    if pairs.is_memory(path):
        return True
    if not _tables.is_table(path) or not path.is_file():
        return False
    how = Format(**{name: given[name] for name in Format.__dataclass_fields__ if name in given})
    there = set(_tables.header(path, how))
    # Columns that have no names, or others than usual, are for the user to name.
    named = given.get("header") is False or given.keys() & {"label", "text", "columns"}
    return "label" not in there and not named


def _of_images(path: Path, given: Mapping[str, Any]) -> bool:
    """Whether a table lists images: it, or one in a folder of them.

    Raises:
        GatewiseError: several of a folder do.
    """
    options = _options(given)
    if path.is_dir():
        files = _sounds.walk(path)
        if given.keys() & set(OF_FOLDERS) or files.sounds:
            return False
        images = image_folders.images_among(files.others)
        return bool(images) and image_folders.listing(path, files.others, options) is not None
    if not _tables.is_table(path) or not path.is_file():
        return False
    try:
        return image_tables.is_meant(Table.look(path, options), options)
    except GatewiseError:
        return False  # it is refused, with the reason, by what reads it then


def _options(given: Mapping[str, Any]) -> Options:
    said = {name: value for name, value in given.items() if name in (*OPTIONS, *OF_TABLES)}
    return Options(**said)


def settings(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """A task of these data, as `params.yaml` has it, but for what is accepted about them.

    Raises:
        Ambiguous: they can be read in several ways.
        GatewiseError: they cannot be read.
    """
    idle = [option for option in OF_FOLDERS if option in given]
    if idle:
        raise GatewiseError(f"{path}: --{idle[0]} is for folders of labelled sounds; leave it out")
    found = understand(path, _options(given))
    return {"source": found.source, **_asked(found)}


def _asked(found: Understanding) -> dict[str, Any]:
    """Objective and features."""
    if found.steps is not None:
        steps = {"horizon": found.steps.horizon, "season": found.steps.season}
        return {"objective": {"kind": "forecast", **steps}, "features": {"kind": "series"}}
    if found.images is not None:
        unit = {} if found.said is None else {"unit": found.said.unit}
        return {"objective": {"kind": found.objective, **unit}, "features": PIXELS}
    if found.said is None:
        features = "log-mel" if found.kind == "audio" else "tokens"
        return {"features": {"kind": features}}
    if found.kind == "text":
        objective = {"kind": "generate", "unit": found.said.unit}
        return {"objective": objective, "features": {"kind": "tokens"}}
    objective = {"kind": "transcribe", "unit": found.said.unit}
    return {"objective": objective, "features": {"kind": "log-mel"}}
