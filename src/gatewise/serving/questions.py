"""What a user wants answered in the shell: files, folders and tables, one question an example."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gatewise.config import source_class
from gatewise.data.frontends import images
from gatewise.data.frontends.decoding import FOREIGN, SUFFIXES
from gatewise.data.sources import _labels, _metadata, _sounds, _tables
from gatewise.data.sources._series import value as series_value
from gatewise.errors import GatewiseError
from gatewise.serving import held_out
from gatewise.serving.held_out import FROM_FOLDER, Wanted

ENDINGS: Mapping[str, tuple[str, ...]] = {
    "audio": (*SUFFIXES, *FOREIGN),
    "text": (".txt",),
    "frames": (".npy", ".csv"),
    "series": (".npy",),
    "image": (*images.SUFFIXES, *images.FOREIGN),
}
"""Files that hold one example each, by what a model takes."""


@dataclass(frozen=True)
class Question:
    """One example, read when it is asked."""

    name: str
    """As the user gave it: a path, a row of a table, or the text itself."""
    read: Callable[[], dict[str, Any]]
    """What `Predictor` takes; raises `GatewiseError` where it cannot be read."""
    truth: str | None = None
    """Its label, where that is known."""


def collect(inputs: Sequence[Path], texts: Sequence[str], wanted: Wanted) -> list[Question]:
    """The questions that `inputs` and `texts` hold, in their order.

    Raises:
        GatewiseError: an input is missing, holds no example, or is nothing that the model takes.
    """
    questions = [question for path in inputs for question in _of(path, wanted)]
    return questions + [Question(text, functools.partial(_text, text)) for text in texts]


def _of(path: Path, wanted: Wanted) -> Iterator[Question]:
    endings = ENDINGS[wanted.modality]
    if path.is_dir():
        yield from _folder(path, wanted)
        return
    _sounds.require_file(path)
    if path.suffix.lower() in endings:
        yield _file(path, wanted)
    elif _tables.is_table(path) and wanted.modality == "series":
        yield from _series(path, wanted)
    elif _tables.is_table(path) and wanted.modality != "frames":
        yield from _table(path, wanted)
    else:
        tables = "" if wanted.modality == "frames" else f", or a table ({_tables.SUFFIXES[0]}, ...)"
        raise GatewiseError(f"{path}: this model takes {', '.join(endings)}{tables}")


# --- files -----------------------------------------------------------------------------------


def _folder(folder: Path, wanted: Wanted) -> Iterator[Question]:
    found = _sounds.walk(folder)
    if wanted.labels not in (None, FROM_FOLDER):
        tables = (
            _metadata.tables(folder, found.others) if wanted.modality in ("audio", "image") else []
        )
        if not tables:
            raise _no_column(folder, wanted)
        print(f"{folder}: labels by {', '.join(map(str, tables))}", file=sys.stderr)
        for table in tables:
            yield from _table(table, wanted, content=_metadata.FILE_NAME)
        return
    endings = ENDINGS[wanted.modality]
    files = sorted(p for p in [*found.sounds, *found.others] if p.suffix.lower() in endings)
    if not files:
        raise GatewiseError(f"{folder}: no file to answer in it ({', '.join(endings)})")
    names = [file.relative_to(folder).as_posix() for file in files]
    for file, truth in zip(files, held_out.truths(folder, names, wanted), strict=True):
        yield Question(str(file), functools.partial(_read, file), truth)


def _file(path: Path, wanted: Wanted) -> Question:
    truth = None
    if wanted.name is not None:
        truth = held_out.named(path.name, wanted.name)
    elif wanted.layout is not None:
        raise GatewiseError(
            f"{path}: --layout says what the folders below a folder are; name the folder, or give "
            f"--labels {FROM_FOLDER}"
        )
    elif wanted.labels == FROM_FOLDER:
        truth = _labels.clean(path.absolute().parent.name)
    elif wanted.labels is not None:
        raise _no_column(path, wanted)
    return Question(str(path), functools.partial(_read, path), truth)


def _no_column(path: Path, wanted: Wanted) -> GatewiseError:
    return GatewiseError(
        f"{path}: --labels {wanted.labels} names a column of a table; for files give "
        f"--labels {FROM_FOLDER}, --layout or --name"
    )


# --- tables ----------------------------------------------------------------------------------


def _table(path: Path, wanted: Wanted, content: str = "") -> Iterator[Question]:
    if wanted.by_path and wanted.modality == "text":
        raise GatewiseError(f"{path}: a table's rows lie in no folders; --labels names a column")
    column = wanted.column or content or ("text" if wanted.modality == "text" else "path")
    columns = {"content": column}
    if wanted.labels not in (None, FROM_FOLDER):
        columns["label"] = str(wanted.labels)
    rows = list(_tables.read(path, columns, wanted.how))
    labels = [_labels.clean(row["label"]) if "label" in row else None for row in rows]
    if wanted.several:
        labels = _together([row["content"] for row in rows], labels)
    if wanted.modality == "text":
        for number, (row, truth) in enumerate(zip(rows, labels, strict=True), 1):
            yield Question(f"{path}:{number}", functools.partial(_text, row["content"]), truth)
        return
    files = [path.parent / _sounds.slashed(path.parent, row["content"]) for row in rows]
    if wanted.by_path:
        names = [_below(path.parent, file) for file in files]
        labels = held_out.truths(path.parent, names, wanted)
    for row, file, truth in zip(rows, files, labels, strict=True):
        # Below a folder that was given, one name may stand in several of its tables.
        asked = str(file) if content else row["content"]
        yield Question(asked, functools.partial(_read, file), truth)


def _together(contents: Sequence[str], labels: Sequence[str | None]) -> list[str | None]:
    """For each row the labels of all rows of its content, a line each."""
    known: dict[str, dict[str, None]] = {}
    for content, label in zip(contents, labels, strict=True):
        if label is not None:
            known.setdefault(content, {})[label] = None
    return ["\n".join(known[content]) if content in known else None for content in contents]


def _below(root: Path, file: Path) -> str:
    """The path of `file` from `root`, or as it is where it lies elsewhere."""
    return (file.relative_to(root) if file.is_relative_to(root) else file).as_posix()


# --- examples --------------------------------------------------------------------------------


def _series(path: Path, wanted: Wanted) -> Iterator[Question]:
    """A question for each series of a table: long with a column `id`, or the only one."""
    if wanted.labels is not None:
        raise GatewiseError(f"{path}: forecasts have no labels; leave --labels out")
    there = _tables.header(path)
    value, kind = wanted.column or "value", source_class("series")
    if "id" in there:
        table = kind.model_validate({"kind": "series", "path": str(path), "value": value})
        for name, values in table.named():  # type: ignore[attr-defined]
            yield Question(f"{path}: {name}", functools.partial(dict, series=values))
        return
    rows = enumerate(_tables.read(path, {"value": value}), 1)
    column = [series_value(row["value"], f"{path}, row {number}") for number, row in rows]
    yield Question(str(path), functools.partial(dict, series=np.array(column)))


def _text(text: str) -> dict[str, Any]:
    return {"text": text}


def _read(path: Path) -> dict[str, Any]:
    """One example from a file."""
    kind = path.suffix.lower()
    _sounds.require_file(path)
    try:
        if kind in ENDINGS["text"]:
            return {"text": path.read_text(encoding="utf-8-sig")}
        if kind in ENDINGS["frames"]:
            if kind == ".npy":
                values = np.load(path, allow_pickle=False)
                return {"series" if values.ndim == 1 else "frames": values}
            return {"frames": np.loadtxt(path, delimiter=",", ndmin=2)}
        return {"image" if kind in ENDINGS["image"] else "audio": path.read_bytes()}
    except (OSError, ValueError) as error:
        raise GatewiseError(f"cannot be read: {' '.join(str(error).split())}") from None
