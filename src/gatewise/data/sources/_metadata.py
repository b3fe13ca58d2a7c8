"""Tables beside sound files as Hugging Face's `audiofolder` has them: `metadata.csv` and the like.

Their column `file_name` is relative to the table. Splits are folders named so, anywhere above the
files: one table in each split's folder, or one at the top for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from gatewise.data.sources._layout import SPLIT_NAMES
from gatewise.errors import GatewiseError

NAMES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
"""In this order, where several lie in one folder."""
FILE_NAME = "file_name"


def tables(root: Path, files: Iterable[Path]) -> list[Path]:
    """The tables among `files` that list the sounds below `root`, sorted.

    One at the top speaks for everything; else there is one a folder.
    """
    by_folder: dict[Path, Path] = {}
    for path in files:
        if path.name in NAMES:
            best = by_folder.setdefault(path.parent, path)
            if NAMES.index(path.name) < NAMES.index(best.name):
                by_folder[path.parent] = path
    if root in by_folder:
        return [by_folder[root]]
    return sorted(by_folder.values())


def below(root: Path, table: Path, name: str) -> str:
    """The path below `root` of the file that `table` calls `name`."""
    return (PurePosixPath(table.parent.relative_to(root).as_posix()) / name).as_posix()


def splits(root: Path, names: Sequence[str]) -> list[str]:
    """The published split of each file below `root` by the folders above it; '' where none is.

    Raises:
        GatewiseError: some folders of a level are called as splits are, others beside them not.
    """
    chains = [PurePosixPath(name).parts[:-1] for name in names]
    for level in range(max(map(len, chains), default=0)):
        there = [chain[level] if len(chain) > level else "" for chain in chains]
        found = [SPLIT_NAMES.get(name.casefold(), "") for name in there]
        if all(found):
            return found if len(set(found)) > 1 else [""] * len(names)  # one alone is none
        if any(found):
            split = next(name for name, role in zip(there, found, strict=True) if role)
            other = next(name for name, role in zip(names, found, strict=True) if not role)
            raise GatewiseError(
                f"{root}: the folder {split} looks like a published split, but {other} lies in "
                "none; give every listed file a folder of its split, or the table a column `split`"
            )
    return [""] * len(names)
