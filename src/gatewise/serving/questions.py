"""What a user wants answered in the shell: files, folders and tables, one question an example."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatewise.data.frontends.decoding import FOREIGN, SUFFIXES
from gatewise.data.sources import _labels, _sounds, _tables
from gatewise.errors import GatewiseError

FROM_FOLDER = "from-folder"
"""A file's label is the name of the folder that it lies in."""
ENDINGS: Mapping[str, tuple[str, ...]] = {
    "audio": (*SUFFIXES, *FOREIGN),
    "text": (".txt",),
    "frames": (".npy", ".csv"),
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


@dataclass(frozen=True)
class Wanted:
    """How inputs are to be read."""

    modality: str
    """What the model takes: `audio`, `text` or `frames`."""
    labels: str | None = None
    """`FROM_FOLDER`, or the column of a table; nothing where labels are not known."""
    column: str | None = None
    """Column of a table's texts or paths; `text` or `path` if left out."""


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
        files = _inside(path, endings)
        if not files:
            raise GatewiseError(f"{path}: no file to answer in it ({', '.join(endings)})")
        yield from (_file(file, wanted) for file in files)
        return
    _sounds.require_file(path)
    if path.suffix.lower() in endings:
        yield _file(path, wanted)
    elif _tables.is_table(path) and wanted.modality != "frames":
        yield from _table(path, wanted)
    else:
        tables = "" if wanted.modality == "frames" else f", or a table ({_tables.SUFFIXES[0]}, ...)"
        raise GatewiseError(f"{path}: this model takes {', '.join(endings)}{tables}")


def _inside(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    found = _sounds.walk(folder)
    return sorted(path for path in [*found.sounds, *found.others] if path.suffix.lower() in endings)


def _file(path: Path, wanted: Wanted) -> Question:
    truth = None
    if wanted.labels == FROM_FOLDER:
        truth = _labels.clean(path.absolute().parent.name)
    elif wanted.labels is not None:
        raise GatewiseError(
            f"{path}: --labels {wanted.labels} names a column of a table; for files give "
            f"--labels {FROM_FOLDER}"
        )
    return Question(str(path), functools.partial(_read, path), truth)


def _table(path: Path, wanted: Wanted) -> Iterator[Question]:
    if wanted.labels == FROM_FOLDER and wanted.modality == "text":
        raise GatewiseError(f"{path}: a table's rows lie in no folders; --labels names a column")
    content = wanted.column or ("text" if wanted.modality == "text" else "path")
    columns = {"content": content}
    if wanted.labels not in (None, FROM_FOLDER):
        columns["label"] = str(wanted.labels)
    for number, row in enumerate(_tables.read(path, columns), 1):
        truth = _labels.clean(row["label"]) if "label" in row else None
        if wanted.modality == "text":
            yield Question(f"{path}:{number}", functools.partial(_text, row["content"]), truth)
            continue
        name = row["content"]
        file = path.parent / name
        if not file.exists() and "\\" in name:  # a table made on Windows
            file = path.parent / name.replace("\\", "/")
        if wanted.labels == FROM_FOLDER:
            truth = _labels.clean(file.absolute().parent.name)
        yield Question(name, functools.partial(_read, file), truth)


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
            import numpy as np

            if kind == ".npy":
                return {"frames": np.load(path, allow_pickle=False)}
            return {"frames": np.loadtxt(path, delimiter=",", ndmin=2)}
        return {"audio": path.read_bytes()}
    except (OSError, ValueError) as error:
        raise GatewiseError(f"cannot be read: {' '.join(str(error).split())}") from None
