"""Listing sound files that are used where they lie."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gatewise.artifacts.manifest import Example, content_group
from gatewise.data.frontends import decoding
from gatewise.errors import GatewiseError
from gatewise.files import cores

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")


@dataclass(frozen=True)
class Sound:
    """What a source knows of a sound file."""

    path: str
    """Relative to a folder that is given beside it."""
    label: str
    group: str | None = None
    """Left out: files of the same bytes form a group."""
    split: str = ""


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


def examples(root: Path, sounds: Iterable[Sound]) -> list[Example]:
    """Manifest rows of sound files below `root`.

    Raises:
        GatewiseError: a file is missing. Files that cannot be decoded get a row with
            `n_samples` 0: preparation decides what becomes of them.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(functools.partial(example, root), sounds))


def example(root: Path, sound: Sound) -> Example:
    """The manifest row of one sound file; its path is its id."""
    path = root / sound.path
    try:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    except (FileNotFoundError, IsADirectoryError):
        raise GatewiseError(f"{path}: no such file") from None
    except OSError as error:
        raise GatewiseError(f"{path}: not readable: {error.strerror}") from None
    samples, rate = decoding.header(path)
    return Example(
        id=sound.path,
        path=sound.path,
        label=sound.label,
        group=content_group(content) if sound.group is None else sound.group,
        split=sound.split,
        n_samples=samples,
        sample_rate=rate,
        sha256=content,
    )
