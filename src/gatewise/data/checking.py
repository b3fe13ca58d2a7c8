"""Certifying any folder or file, as preparation would, before a night is spent on training."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from gatewise.artifacts.data_report import DataReport
from gatewise.artifacts.manifest import CARD, Raw
from gatewise.config import SourceOptions, TaskConfig, source_class
from gatewise.data import sources
from gatewise.data.preparation.build import prepare
from gatewise.data.preparation.certificate import LeakError
from gatewise.data.sources import _tables
from gatewise.errors import GatewiseError

NAME = "checked"
FEATURES: dict[str, dict[str, Any]] = {
    "audio": {"kind": "log-mel"},
    "frames": {"kind": "frames"},
    "text": {"kind": "tokens"},
}


def check(path: Path, on_bad: str = "skip", **columns: str | None) -> tuple[DataReport, str]:
    """Fetch, prepare and certify what lies at `path`, in a temporary folder.

    Args:
        path: a raw folder (`data/raw/<task>`), a folder of sound files with one subfolder per
            label, a table of sound files (columns `path, label`), or a table of texts.
        on_bad: `fail` at the first unusable example, or `skip` and count them.
        columns: `text`, `label`, `group`, `split`: names of columns (or, for a folder of
            sound files, `group` as a pattern); None where the source's own will do.

    Returns:
        The report, and what is wrong in words ('' if nothing is).

    Raises:
        GatewiseError: it cannot be read at all.
    """
    with tempfile.TemporaryDirectory() as scratch:
        if (path / CARD).is_file():
            raw = Raw.open(path)
            source = {"kind": "reviews"}  # a task must have one; it is not fetched again
        else:
            chosen = guess(path, columns)
            raw = sources.fetch(chosen, Path(scratch) / "raw")
            source = chosen.model_dump()
        features = FEATURES[raw.card.payload]
        settings = {"source": source, "features": features, "on_bad": on_bad}
        config = TaskConfig.model_validate(settings)
        try:
            _, report = prepare(NAME, config, raw.folder, Path(scratch) / "prepared")
        except LeakError as error:
            return error.report, str(error)
        return report, ""


def guess(path: Path, columns: dict[str, str | None]) -> SourceOptions:
    """The source that reads `path`."""
    given = {name: value for name, value in columns.items() if value is not None}
    if path.is_dir():
        kind = "audio-folder"
    elif not path.exists():
        raise GatewiseError(f"{path}: no such file or folder")
    elif path.suffix.lower() not in _tables.SUFFIXES:
        known = ", ".join(_tables.SUFFIXES)
        raise GatewiseError(f"{path}: neither a folder nor a table ({known})")
    else:
        there = _tables.header(path)
        kind = "audio-folder" if "path" in there and "text" not in given else "text-file"
    source = source_class(kind)
    unknown = sorted(set(given) - set(source.model_fields))
    if unknown:
        raise GatewiseError(f"{path}: read as {kind}, which takes no --{unknown[0]}")
    return source.model_validate({"kind": kind, "path": str(path), **given})
