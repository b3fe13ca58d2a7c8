"""Downloading an archive so that it can be resumed and trusted, and unpacking it safely."""

from __future__ import annotations

import tarfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from gatewise.errors import GatewiseError
from gatewise.files import replacing, sha256

BLOCK = 1 << 20
TIMEOUT = 60  # seconds without a byte


def download(url: str, target: Path, expected: str) -> Path:
    """Download `url` to `target`, going on where an earlier attempt stopped.

    Raises:
        GatewiseError: the server cannot be reached, or the bytes are not those whose sha256
            is `expected` (then nothing is kept).
    """
    if target.is_file() and sha256(target) == expected:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    try:
        _fetch(url, part)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        done = part.stat().st_size if part.exists() else 0
        raise GatewiseError(
            f"{url}: download stopped after {done:,} bytes ({getattr(error, 'reason', error)}); "
            f"run again to go on from there, or put the file at {target} by hand"
        ) from None
    actual = sha256(part)
    if actual != expected:
        part.unlink()
        raise GatewiseError(
            f"{url}: sha256 is {actual}, expected {expected}; the download is not used, try again"
        )
    part.replace(target)
    return target


def _fetch(url: str, part: Path) -> None:
    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url)  # noqa: S310 - callers pass constants
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing left to send: the part is whole
            return
        raise
    with answer, part.open("ab" if answer.status == 206 else "wb") as file:
        expected = int(answer.headers.get("Content-Length", -1))
        got = 0
        while block := answer.read(BLOCK):
            file.write(block)
            got += len(block)
        if 0 <= got < expected:
            raise ConnectionError("the server closed the connection")


def unpack(archive: Path, target: Path) -> None:
    """Unpack a tar archive into the new folder `target`.

    Raises:
        GatewiseError: a member would land outside `target`, is a link or a device, or the
            archive is damaged; nothing is kept.
    """
    with replacing(target) as folder:
        folder.mkdir()
        try:
            with tarfile.open(archive) as members:
                for member in members:
                    _refuse_unsafe(archive, member)
                    members.extract(member, folder, **_FILTER)
        except (tarfile.TarError, EOFError) as error:
            raise GatewiseError(f"{archive}: not a usable archive: {error}") from None


# Python before 3.11.4 has no filters; members that need one are refused before.
_FILTER: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


def _refuse_unsafe(archive: Path, member: tarfile.TarInfo) -> None:
    if not (member.isfile() or member.isdir()):
        raise GatewiseError(f"{archive}: member {member.name!r} is a link or a device; refused")
    path = Path(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise GatewiseError(f"{archive}: member {member.name!r} leads outside; refused")
