"""The labels of a held-out set: by folders, names of files or columns, as a task's source has them.

A model is asked about files wherever they lie; here is told what each of them should be.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gatewise.data.sources import _labels, _layout
from gatewise.data.sources._layout import Layout
from gatewise.data.sources._tables import DEFAULT, Format
from gatewise.errors import GatewiseError

FROM_FOLDER = "from-folder"
"""A file's label is the name of a folder that it lies in."""


@dataclass(frozen=True)
class Wanted:
    """How inputs are to be read."""

    modality: str
    """What the model takes: `audio`, `text`, `frames`, `series` or `image`."""
    labels: str | None = None
    """`FROM_FOLDER`, or the column of a table; nothing where labels are not known."""
    column: str | None = None
    """Column of a table's texts or paths; `text` or `path` if left out."""
    layout: Layout | None = None
    """What folders below a folder are; left out: guessed where labels are `FROM_FOLDER`."""
    name: re.Pattern[str] | None = None
    """With a bracket `label`, looked for in the names of files."""
    known: tuple[str, ...] = ()
    """The model's labels: they tell which folders are labels where that is unclear."""
    how: Format = DEFAULT
    """How tables are written."""
    several: bool = False
    """Whether rows of one text or file say different answers that are right alike."""

    @property
    def by_path(self) -> bool:
        """Whether the labels of files stand in their paths."""
        return self.labels == FROM_FOLDER or self.layout is not None or self.name is not None


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern for names of files.

    Raises:
        ValueError: it is none, or has no bracket `label`.
    """
    try:
        found = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    if "label" not in found.groupindex:
        raise ValueError(f"{pattern!r} needs a named bracket, (?P<label>...)")
    return found


def truths(root: Path, names: Sequence[str], wanted: Wanted) -> list[str | None]:
    """The label of each file, as far as paths tell it.

    Args:
        root: a folder.
        names: paths below it, with slashes.
        wanted: how.

    Raises:
        GatewiseError: a path tells none, or it can be read in two ways.
    """
    if not wanted.by_path:
        return [None] * len(names)
    if wanted.name is not None:
        labels: list[str | None] = [named(name, wanted.name) for name in names]
        _say(f"{root}: labels by the names of files", labels)
        return labels
    if wanted.layout is None and not any("/" in name for name in names):
        return [_labels.clean(root.absolute().name)] * len(names)  # itself the label's folder
    layout = wanted.layout or _guess(root, names, wanted.known)
    if "label" not in layout.roles:
        raise GatewiseError(f"--layout: {layout} names no level of labels")
    labels = [_labels.clean(layout.read(name)["label"]) for name in names]
    _say(f"{root}: labels by folders, read as {layout}", labels)
    return labels


def named(path: str, pattern: re.Pattern[str]) -> str:
    """The label in the name of a file.

    Raises:
        GatewiseError: the pattern does not fit.
    """
    match = pattern.search(PurePosixPath(path).name)
    if match is None or not match["label"]:
        raise GatewiseError(f"{path}: the pattern {pattern.pattern!r} finds no label in its name")
    return _labels.clean(match["label"])


def _guess(root: Path, names: Sequence[str], known: Sequence[str]) -> Layout:
    """The one level of folders that the model's labels are; else the only way to read them."""
    chains = [name.split("/")[:-1] for name in names]
    fitting = [
        level
        for level in range(min(map(len, chains)))
        if {_labels.clean(chain[level]) for chain in chains} <= set(known)
    ]
    if len(fitting) == 1:
        return Layout(("*",) * fitting[0] + ("label",))
    try:
        return _layout.guess(root, names)
    except GatewiseError as error:
        said = re.sub(r"\blayout: ", "--layout ", str(error)).replace("with layout", "by --layout")
        raise GatewiseError(said.replace("(`name`)", "(--name)")) from None


def _say(what: str, labels: Iterable[str | None]) -> None:
    distinct = sorted({label for label in labels if label is not None})
    some = ", ".join(distinct[: _layout.NAMED])
    more = ", ..." if len(distinct) > _layout.NAMED else ""
    print(f"{what}: {len(distinct)} labels ({some}{more})", file=sys.stderr)
