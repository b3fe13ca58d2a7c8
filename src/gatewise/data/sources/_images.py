"""Listing image files that are used where they lie."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

from gatewise.artifacts.manifest import Example, content_group
from gatewise.data.frontends import images
from gatewise.data.sources._sounds import require_file
from gatewise.errors import GatewiseError
from gatewise.files import cores


@dataclass(frozen=True)
class Listed:
    """What a source knows of an image file."""

    path: str
    """Relative to a folder that is given beside it."""
    label: str
    group: str | None = None
    """Left out: files of the same bytes form a group."""
    split: str = ""
    listed_in: str = ""
    """The table that names the file."""


def is_image(path: PurePath) -> bool:
    """Whether the name of `path` is that of an image, in a format that is decoded or another."""
    return path.suffix.lower() in (*images.SUFFIXES, *images.FOREIGN)


def examples(root: Path, listed: Iterable[Listed]) -> list[Example]:
    """Manifest rows of image files below `root`.

    Raises:
        GatewiseError: a file is missing. Files that cannot be decoded get a row with
            `n_samples` 0: preparation decides what becomes of them.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(functools.partial(example, root), listed))


def example(root: Path, image: Listed) -> Example:
    """The manifest row of one image file; its path is its id."""
    path = root / image.path
    require_file(path, image.listed_in)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise GatewiseError(f"{path}: not readable: {error.strerror}") from None
    content = hashlib.sha256(data).hexdigest()
    return Example(
        id=image.path,
        path=image.path,
        label=image.label,
        group=content_group(content) if image.group is None else image.group,
        split=image.split,
        n_samples=images.header(data),
        sha256=content,
    )
