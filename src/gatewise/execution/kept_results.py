"""Results of stages, kept by what determines them.

DVC starts a stage whenever a file of a folder that it depends on has changed: a new cell starts
the measuring of costs, although it concerns none of the variants. The stage then finds what it
made before under a key of all that decides the result, and puts it back in place of making it
again. `gatewise.execution.finished_runs` does the same for runs, one by one.

The latest result of each item is kept, in hard links where the file system has them. To have it
made again in spite of an equal key, delete `.gatewise/kept/<stage>/<item>`.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from gatewise.errors import GatewiseError
from gatewise.files import digest, read_json, replacing, sha256, write_json

RECORD = "kept.json"


class _Kept(BaseModel):
    """`kept.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    key: str
    """sha256 of all that decides the result."""
    files: dict[str, str]
    """sha256 of each file by its path from the project's folder."""


class KeptResult:
    """The latest result of one item of a stage, `<root>/<stage>/<item>/`."""

    def __init__(
        self,
        stage: str,
        item: str,
        decisive: Sequence[Any],
        outputs: Sequence[Path],
        root: str | Path = ".gatewise/kept",
    ) -> None:
        """Describe the result; nothing is read yet.

        Args:
            stage: name of the stage.
            item: task or variant.
            decisive: plain data that hold all that decides the result.
            outputs: files or folders that the stage writes, relative to the project's folder.
            root: where results are kept.
        """
        self.name = f"{stage}@{item}"
        self.key = digest(decisive)
        self.outputs = outputs
        self.folder = Path(root, stage, item)

    def make(self, make: Callable[[], None]) -> bool:
        """Put the kept result in place, or make and keep it; whether it was made."""
        if self.restore():
            print(f"{self.name}: unchanged: kept from before")
            return False
        make()
        self.keep()
        return True

    def make_ahead(self, make: Callable[[Path], None]) -> bool:
        """Make and keep the result before its stage comes to it; whether there was need.

        Args:
            make: writes the outputs below the folder that it is given instead of the project's,
                where DVC would take them for somebody's changes.
        """
        if self._whole() is not None:
            return False
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as folder:
            make(Path(folder))
            self.keep(Path(folder))
        return True

    def restore(self) -> bool:
        """Put the outputs back as they were; `False` if they were not kept or are not whole."""
        if self._whole() is None:
            return False
        for output in self.outputs:
            with replacing(output) as temporary:
                _copy(self.folder / output, temporary)
        return True

    def _whole(self) -> _Kept | None:
        """What is kept under this very key, if every file of it is what it was."""
        try:
            kept = _Kept.model_validate(read_json(self.folder / RECORD))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, GatewiseError, ValidationError):
            self._refuse(RECORD)
            return None
        if kept.key != self.key:
            return None
        for name, known in kept.files.items():
            try:
                whole = sha256(self.folder / name) == known
            except (OSError, GatewiseError):
                whole = False
            if not whole:
                self._refuse(name)
                return None
        if not all(self._covered(output, kept) for output in self.outputs):
            self._refuse(RECORD)
            return None
        return kept

    def _covered(self, output: Path, kept: _Kept) -> bool:
        """Whether every file of an output that lies there is one that was kept."""
        there = [str(path.relative_to(self.folder)) for path in _files(self.folder / output)]
        return bool(there) and all(name in kept.files for name in there)

    def _refuse(self, name: str) -> None:
        damaged = self.folder / name
        print(f"warning: {self.name}: {damaged} is damaged; made anew", file=sys.stderr)

    def keep(self, root: Path = Path()) -> None:
        """Keep the outputs, which lie below `root`, in place of an earlier result."""
        made = [path for output in self.outputs for path in _files(root / output)]
        files = {str(path.relative_to(root)): sha256(path) for path in made}
        with replacing(self.folder) as folder:
            folder.mkdir()
            for output in self.outputs:
                (folder / output).parent.mkdir(parents=True, exist_ok=True)
                _copy(root / output, folder / output)
            write_json(folder / RECORD, _Kept(key=self.key, files=files).model_dump())


def _files(path: Path) -> list[Path]:
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_link)
    else:
        _link(source, target)


def _link(source: str | Path, target: str | Path) -> None:
    # Stages replace their outputs and never write into them, so a link is as good as a copy.
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)
