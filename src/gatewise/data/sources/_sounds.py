"""Listing sound files that are used where they lie."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from gatewise.artifacts.manifest import SAME
from gatewise.data.frontends import decoding
from gatewise.errors import GatewiseError
from gatewise.files import cores

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")


def walk(root: Path) -> Iterator[Path]:
    """Sound files below `root`, sorted, hidden ones left out; links are followed.

    Raises:
        GatewiseError: a link leads back to a folder above itself.
    """
    for folder, folders, names in os.walk(root, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = Path(folder)
        for name in folders:
            link = here / name
            if link.is_symlink() and here.resolve().is_relative_to(link.resolve()):
                raise GatewiseError(
                    f"{link}: this link leads back to {link.resolve()}, a folder above it; "
                    "remove the link"
                )
        for name in sorted(names):
            path = here / name
            if not name.startswith(".") and path.suffix.lower() in SUFFIXES:
                yield path


def rows(root: Path, items: Iterable[tuple[str, dict[str, str]]]) -> list[dict[str, Any]]:
    """Manifest rows of sound files.

    Args:
        root: folder that the paths are relative to.
        items: `(path, facts)`, where facts give `label` and may give `group` and `split`.
            Without a group, files of the same bytes form one.

    Raises:
        GatewiseError: a file is missing. Files that cannot be decoded get a row with
            `n_samples` 0: preparation decides what becomes of them.
    """
    from concurrent.futures import ThreadPoolExecutor

    def row(item: tuple[str, dict[str, str]]) -> dict[str, Any]:
        name, facts = item
        path = root / name
        try:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        except (FileNotFoundError, IsADirectoryError):
            raise GatewiseError(f"{path}: no such file") from None
        except OSError as error:
            raise GatewiseError(f"{path}: not readable: {error.strerror}") from None
        samples, rate = decoding.header(path)
        return {
            "id": name,
            "path": name,
            "group": SAME + content[:16],
            "split": "",
            "n_samples": samples,
            "sample_rate": rate,
            "sha256": content,
            **facts,
        }

    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(row, items))
