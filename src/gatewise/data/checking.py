"""Certifying any folder or file, as preparation would, before a night is spent on training."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatewise.artifacts.data_report import DataReport
from gatewise.artifacts.manifest import CARD, Raw
from gatewise.config import SourceOptions, TaskConfig, source_class
from gatewise.data import checking_work, sources
from gatewise.data.preparation import certificate
from gatewise.data.preparation.build import prepare
from gatewise.data.preparation.certificate import LeakError
from gatewise.data.sources import _metadata, _sounds, _tables, text_folder
from gatewise.data.sources._tables import Format
from gatewise.data.understanding import image_folders, sections
from gatewise.errors import GatewiseError

NAME = "checked"
FEATURES: dict[str, dict[str, Any]] = {
    "audio": {"kind": "log-mel"},
    "frames": {"kind": "frames"},
    "text": {"kind": "tokens"},
    "image": checking_work.PIXELS,
}
COLUMNS = ("text", "label", "group", "split")


def check(
    path: Path, on_bad: str = "fail", allow: Mapping[str, str] | None = None, **options: Any
) -> tuple[DataReport, str]:
    """Fetch, prepare and certify what lies at `path`, in a temporary folder.

    Args:
        path: a raw folder (`data/raw/<task>`), a folder of sound files with one subfolder per
            label (or of images, or of text files), a table of sound files (columns `path, label`),
            or a table of texts; or pairs, transcripts, series and tables of images, as
            `gatewise new` understands them.
        on_bad: `fail` where an example is unusable, as preparation does unless told, or `skip`.
        allow: leaks that are accepted, each with the reason.
        options: of the source (`label`, `encoding`, ...); None where its own will do. Of a folder
            of sound files `group` is a pattern.

    Returns:
        The report, and what is wrong in words ('' if nothing is).

    Raises:
        GatewiseError: it cannot be read at all.
    """
    given = {name: value for name, value in options.items() if value is not None}
    with tempfile.TemporaryDirectory() as scratch:
        if (path / CARD).is_file():
            raw = Raw.open(path)
            asked = {"source": {"kind": "reviews"}}  # a task must have one; not fetched again
        elif checking_work.is_meant(path, given):
            asked = checking_work.settings(path, given)
            raw = sources.fetch(sections.parse(asked["source"]), Path(scratch) / "raw")
        else:
            chosen = guess(path, options)
            raw = sources.fetch(chosen, Path(scratch) / "raw")
            asked = {"source": chosen.model_dump()}
        if "features" not in asked and raw.card.payload not in FEATURES:
            raise GatewiseError(
                f"{path}: holds {raw.card.payload}, which are split by the horizon of a task; "
                "`dvc repro prepare` certifies them"
            )
        settings = {
            "features": FEATURES.get(raw.card.payload),
            **asked,
            "on_bad": "skip",  # all of them are listed, not the first alone
            "allow": dict(allow or {}),
        }
        config = TaskConfig.model_validate(settings)
        try:
            _, report = prepare(NAME, config, raw.folder, Path(scratch) / "prepared")
        except LeakError as error:
            names = " ".join(f"--allow {leak.leak}" for leak in error.leaks)
            leaks = certificate.violations(error.leaks)
            wrong = f"{path}: the data leak between splits; {leaks}\n  mend them, or give {names}"
            return error.report, wrong
        except GatewiseError as error:
            raise GatewiseError(str(error).replace(f"tasks.{NAME}", str(path))) from None
        if report.unusable.count and on_bad == "fail":
            bad = report.unusable
            more = f" (and {bad.count - 1} more)" if bad.count > 1 else ""
            return report, (
                f"{path}: {bad.examples[0]}{more}; mend or remove such examples, or give "
                "--on-bad skip"
            )
        return report, ""


def guess(path: Path, options: Mapping[str, Any]) -> SourceOptions:
    """The source that reads `path`, with the options that were given."""
    given = {name: value for name, value in options.items() if value is not None}
    given.pop("objective", None)  # labels: others are understood elsewhere
    if path.is_dir():
        kind = _kind(path)
    elif not path.exists():
        raise GatewiseError(f"{path}: no such file or folder")
    elif not _tables.is_table(path):
        known = ", ".join(_tables.SUFFIXES)
        raise GatewiseError(f"{path}: neither a folder nor a table ({known})")
    else:
        _sounds.require_file(path)
        there = _tables.header(path, _format(given))
        columns = given.get("columns", {})
        sounds = columns.get("path", "path") in there and "text" not in given
        kind = "audio-folder" if sounds else "text-file"
    if kind == "audio-folder" and _has_table(path, given):  # its columns are named together
        named = {name: given.pop(name) for name in COLUMNS if name in given and name != "text"}
        given["columns"] = {**named, **given.get("columns", {})}
    source = source_class(kind)
    unknown = sorted(set(given) - set(source.model_fields))
    if unknown:
        raise GatewiseError(
            f"{path}: read as {kind}, which takes no --{unknown[0].replace('_', '-')}"
        )
    try:
        return source.model_validate({"kind": kind, "path": str(path), **given})
    except ValueError as error:  # pydantic's own; its first line that is ours will do
        said = [line.strip() for line in str(error).splitlines() if "Value error, " in line]
        reason = said[0].removeprefix("Value error, ").split(" [type=")[0] if said else str(error)
        raise GatewiseError(f"{path}: {reason}") from None


def _has_table(path: Path, given: Mapping[str, Any]) -> bool:
    """Whether a table tells the labels of sound files: `path` itself, or `metadata` in it."""
    if not path.is_dir():
        return True
    by_path = given.keys() & {"layout", "name"}
    return not by_path and bool(_metadata.tables(path, _sounds.walk(path).others))


def _kind(folder: Path) -> str:
    """The source of a folder, by its files: sounds before images, images before texts."""
    found = _sounds.walk(folder)
    if found.sounds:
        return "audio-folder"
    if image_folders.images_among(found.others):
        return "image-folder"
    if _metadata.tables(folder, found.others):
        return "audio-folder"
    return "text-folder" if text_folder.walk(folder).texts else "audio-folder"


def _format(given: Mapping[str, Any]) -> Format:
    names = ("delimiter", "quoting", "header", "encoding")
    return Format(**{name: given[name] for name in names if name in given})
