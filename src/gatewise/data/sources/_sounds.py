"""Listing sound files that are used where they lie."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gatewise.artifacts.manifest import Example, content_group
from gatewise.data.frontends import decoding
from gatewise.data.frontends.decoding import FOREIGN, SUFFIXES
from gatewise.errors import GatewiseError
from gatewise.files import cores

RUBBISH = ("__MACOSX", "Thumbs.db", "desktop.ini")
"""What systems leave in folders, beside hidden files (`.DS_Store`, `._*`): passed over."""
NAMED = 3  # other files named for each ending


@dataclass(frozen=True)
class Sound:
    """What a source knows of a sound file."""

    path: str
    """Relative to a folder that is given beside it."""
    label: str
    group: str | None = None
    """Left out: files of the same bytes form a group."""
    split: str = ""
    listed_in: str = ""
    """The list that names the file, where it was not found by looking."""


@dataclass
class Found:
    """What lies below a folder."""

    sounds: list[Path] = field(default_factory=list)
    """Sorted; those in formats that cannot be decoded among them, for preparation to judge."""
    others: list[Path] = field(default_factory=list)
    """Files that are no sounds by their names."""

    def skipped(self, used: Iterable[Path] = ()) -> dict[str, int]:
        """Number of other files by the reason why they are left out."""
        counts: dict[str, int] = {}
        for suffix, files in self._by_suffix(used).items():
            counts[f"not a sound file ({suffix})"] = len(files)
        return counts

    def warn(self, root: Path, used: Iterable[Path] = ()) -> None:
        """Name the other files on stderr."""
        for suffix, files in self._by_suffix(used).items():
            names = ", ".join(str(path.relative_to(root)) for path in files[:NAMED])
            more = f", and {len(files) - NAMED} more" if len(files) > NAMED else ""
            print(
                f"warning: {root}: left out {len(files)} files that are no sounds ({suffix}): "
                f"{names}{more}",
                file=sys.stderr,
            )

    def _by_suffix(self, used: Iterable[Path]) -> dict[str, list[Path]]:
        known = set(used)
        by_suffix: dict[str, list[Path]] = defaultdict(list)
        for path in self.others:
            if path not in known:
                by_suffix[path.suffix.lower() or "no ending"].append(path)
        return dict(sorted(by_suffix.items()))


def walk(root: Path) -> Found:
    """Files below `root`, hidden ones left out; links are followed.

    Raises:
        GatewiseError: a folder cannot be read, a link leads back to a folder above itself, or
            something with the name of a sound is no regular file (a pipe, a device, a link to
            nowhere).
    """
    found = Found()
    for folder, folders, names in os.walk(root, onerror=_refuse, followlinks=True):
        folders[:] = sorted(name for name in folders if _wanted(name))
        here = Path(folder)
        for name in folders:
            link = here / name
            if link.is_symlink() and here.resolve().is_relative_to(link.resolve()):
                raise GatewiseError(
                    f"{link}: this link leads back to {link.resolve()}, a folder above it; "
                    "remove the link"
                )
        for name in sorted(filter(_wanted, names)):
            path = here / name
            if path.suffix.lower() in (*SUFFIXES, *FOREIGN):
                require_file(path)
                found.sounds.append(path)
            else:
                found.others.append(path)
    return found


def _refuse(error: OSError) -> None:
    raise GatewiseError(f"{error.filename}: not readable: {error.strerror}") from None


def _wanted(name: str) -> bool:
    return not name.startswith(".") and name not in RUBBISH


def require_file(path: Path, listed_in: str = "") -> None:
    """Refuse what is no regular file behind any links: reading a pipe would wait for ever.

    Raises:
        GatewiseError: it is missing or something else.
    """
    if path.is_file():
        return
    by = f", although {listed_in} names it" if listed_in else ""
    if path.is_symlink() and not path.exists():
        raise GatewiseError(f"{path}: a link to {path.readlink()}, which does not exist{by}")
    if path.exists() and not path.is_dir():
        raise GatewiseError(f"{path}: not a regular file (a pipe, a socket or a device){by}")
    raise GatewiseError(f"{path}: no such file{by}")


def slashed(root: Path, name: str) -> str:
    """A path of a table as this system writes it: tables made on Windows have backslashes."""
    return name if "\\" not in name or (root / name).exists() else name.replace("\\", "/")


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
    require_file(path, sound.listed_in)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise GatewiseError(f"{path}: not readable: {error.strerror}") from None
    content = hashlib.sha256(data).hexdigest()
    samples, rate = decoding.header(data)
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
