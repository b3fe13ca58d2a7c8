"""Unpacking an archive that somebody handed over: looked through before anything is written.

A zip of 3 MB can hold 3 GB. What its list of members claims is checked first, and what comes out
of each member is held to what the list claimed.
"""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from gatewise.errors import GatewiseError
from gatewise.files import require_regular

MOST_MEMBERS = 20_000
"""A study of 5,000 runs has three files a run."""
LARGEST_MEMBER = 512 * 2**20
"""Bytes; the largest of real ones are a manifest or a data summary of a few million."""
LARGEST_TOTAL = 4 * 2**30
WORST_RATIO = 200
"""Unpacked to packed of one member; real ones (JSON, Parquet, weights) stay below 15."""
SMALL = 2**20
"""Bytes below which a ratio says nothing."""
FOREIGN = re.compile(r"[\\\0]|^[A-Za-z]:")
BLOCK = 1 << 20


def unpack(archive: str | Path, folder: Path) -> None:
    """Unpack the zip file `archive` into `folder`.

    Raises:
        GatewiseError: it is damaged, no zip, or holds what no archive of runs does: too much,
            paths that lead elsewhere, links.
    """
    require_regular(archive)
    try:
        with zipfile.ZipFile(archive) as packed:
            members = list(_checked(archive, packed))
            for member in members:
                _extract(archive, packed, member, folder)
    # zipfile lets errors of what it is built on through when a file is damaged.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError,
            NotImplementedError, LookupError) as error:  # fmt: skip
        reason = " ".join(str(error).split())[:200]
        raise GatewiseError(f"{archive}: not an archive of runs, or damaged: {reason}") from None


def _checked(archive: str | Path, packed: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """The archive's files, none of them strange."""
    listed = packed.infolist()
    if len(listed) > MOST_MEMBERS:
        raise _refused(archive, f"{len(listed):,} files; at most {MOST_MEMBERS:,} are taken")
    total, seen = 0, set()
    for member in listed:
        name = member.filename
        if member.is_dir():
            continue
        if FOREIGN.search(name) or name.startswith("/") or ".." in PurePosixPath(name).parts:
            raise _refused(archive, f"a path that leads elsewhere ({name!r})")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise _refused(archive, f"{name!r}, which is a link or no regular file")
        if name in seen:
            raise _refused(archive, f"{name!r} twice")
        seen.add(name)
        if member.file_size > LARGEST_MEMBER:
            raise _refused(archive, f"{name!r} of {member.file_size:,} bytes")
        if member.file_size > max(SMALL, WORST_RATIO * member.compress_size):
            raise _refused(
                archive,
                f"{name!r}, {member.compress_size:,} bytes that unpack to {member.file_size:,}",
            )
        total += member.file_size
        if total > LARGEST_TOTAL:
            raise _refused(archive, f"more than {LARGEST_TOTAL:,} bytes unpacked")
        yield member


def _extract(
    archive: str | Path, packed: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path
) -> None:
    target = folder / member.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    left = member.file_size
    with packed.open(member) as source, target.open("xb") as written:
        while block := source.read(BLOCK):
            left -= len(block)
            if left < 0:
                raise _refused(archive, f"{member.filename!r}, which is longer than it claims")
            written.write(block)


def _refused(archive: str | Path, what: str) -> GatewiseError:
    return GatewiseError(f"{archive}: not unpacked: it holds {what}; no archive of runs does")
