"""One copy of a project, put back to what it was after each thing that is done to it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

LEFT = (".git", ".dvc/tmp", ".gatewise/dvc-site", ".gatewise/work")
"""What changes whenever DVC looks, and is of no consequence."""


class Copy:
    """A copy of the folder `base` in the folder `place`."""

    def __init__(self, base: Path, place: Path) -> None:
        self.base, self.folder = base, place
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(base, place, symlinks=True)

    def restore(self, spoilt: str = "") -> None:
        """Undo whatever has changed, and the file `spoilt` wherever it lies."""
        whole, now = dict(_files(self.base)), dict(_files(self.folder))
        for name in now.keys() - whole.keys():
            _remove(self.folder / name)
        for name, state in whole.items():
            if now.get(name) != state or name == spoilt:
                self._put_back(name)
        if spoilt and spoilt not in whole:
            self._put_back(spoilt)

    def _put_back(self, name: str) -> None:
        _remove(self.folder / name)
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (self.base / name).is_dir():
            (self.folder / name).mkdir()
        else:
            shutil.copy2(self.base / name, self.folder / name)


def _files(root: Path) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Path, and what tells whether it changed: its kind, size and time of change in ns."""
    for folder, folders, names in os.walk(root):
        here = Path(folder).relative_to(root)
        kept = [name for name in folders if (here / name).as_posix() not in LEFT]
        # A folder without files in it, or a link to one, counts as a file.
        leaves = [
            n for n in kept if Path(folder, n).is_symlink() or not any(Path(folder, n).iterdir())
        ]
        folders[:] = [name for name in kept if name not in leaves]
        for name in [*names, *leaves]:
            status = Path(folder, name).lstat()
            changed = (
                (0, 0) if stat.S_ISDIR(status.st_mode) else (status.st_size, status.st_mtime_ns)
            )
            yield (here / name).as_posix(), (status.st_mode, *changed)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
