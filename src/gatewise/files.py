"""Writing outputs so that a crash leaves either the old file or the new one."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import AcquireReturnProxy, FileLock, Timeout

from gatewise.errors import GatewiseError


class DamagedError(GatewiseError, ValueError):
    """A file does not hold what it should: cut off, altered, or no file at all."""


class NotJsonError(DamagedError):
    """A file that should hold JSON holds something else."""


LARGEST_JSON = 256 * 2**20
"""Bytes; the largest that the pipeline writes, a study's comparison, has a few million."""


@contextmanager
def reading(path: str | Path, remedy: str = "make it anew") -> Iterator[None]:
    """Turn whatever a library says of a damaged file into one sentence that names the file.

    The block reads `path` and does nothing else. What is missing, or refused by the system, stays
    what it is: an `OSError` with its number.

    Raises:
        DamagedError: the file cannot be read as what it should be; or it is a folder, a pipe or a
            device, which are not opened.
    """
    require_regular(path)
    try:
        yield
    except GatewiseError:
        raise
    except OSError as error:
        if error.errno is not None:  # libraries raise it without a number for bytes they dislike
            raise
        raise DamagedError(f"{path}: damaged ({_brief(error)}); {remedy}") from None
    except Exception as error:
        raise DamagedError(f"{path}: damaged ({_brief(error)}); {remedy}") from None


def require_regular(path: str | Path) -> None:
    """Refuse what is there, but no regular file behind any links: a pipe would wait for ever.

    Raises:
        DamagedError: it is a folder, a pipe, a socket or a device.
        FileNotFoundError: there is nothing.
    """
    _require_regular(path, Path(path).stat())


def open_regular(path: str | Path) -> io.BufferedReader:
    """Open a regular file for reading bytes.

    Raises:
        DamagedError: it is a folder, a pipe, a socket or a device.
        FileNotFoundError: there is nothing.
    """
    require_regular(path)
    # Not to wait even if a pipe has taken its place since.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    stream = os.fdopen(descriptor, "rb")
    try:
        _require_regular(path, os.fstat(descriptor))
    except DamagedError:
        stream.close()
        raise
    return stream


def read_regular(path: str | Path, most: int | None = None) -> bytes:
    """All bytes of a regular file.

    Raises:
        DamagedError: it is no regular file, or longer than `most` bytes.
        FileNotFoundError: there is nothing.
    """
    with open_regular(path) as stream:
        data = stream.read(-1 if most is None else most + 1)
    if most is not None and len(data) > most:
        raise DamagedError(f"{path}: longer than {most:,} bytes, which no file of its kind is")
    return data


def _require_regular(path: str | Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise DamagedError(f"{path}: a folder where a file should be; remove it")
    if not stat.S_ISREG(status.st_mode):
        raise DamagedError(f"{path}: not a regular file (a pipe, a socket or a device); remove it")


def _brief(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed onto it when the block succeeds.

    Works for a file and for a folder (a folder that was there is replaced as a whole).
    On error the temporary is removed and `path` is untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    temporary = holder / path.name
    try:
        yield temporary
        if temporary.is_dir() or path.is_dir():
            # rename(2) cannot replace a folder that has files in it, nor a folder by a file or a
            # file by a folder: step the old one aside.
            with suppress(FileNotFoundError):
                path.rename(holder / "old")
        temporary.replace(path)
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON; NaN and infinity are refused because JSON has none."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        NotJsonError: it holds something else, perhaps because it was cut off.
        DamagedError: it is no regular file, or far too long.
    """
    try:
        return json.loads(read_regular(path, LARGEST_JSON).decode())
    except RecursionError:
        raise NotJsonError(
            f"{path}: not readable as JSON (nested too deeply); make it anew"
        ) from None
    except ValueError as error:  # also of bytes that are no text, and of numbers without end
        if isinstance(error, DamagedError):
            raise
        raise NotJsonError(f"{path}: not readable as JSON ({error}); make it anew") from None


def try_lock(path: Path) -> AcquireReturnProxy[FileLock] | None:
    """A lock file, held until the end of `with`; nothing if another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return FileLock(path).acquire(timeout=0)
    except Timeout:
        return None


def own_folder() -> Path:
    """A folder for what this user's processes keep or meet in, which only they can enter.

    Raises:
        GatewiseError: somebody else made it.
    """
    folder = Path(tempfile.gettempdir(), f"gatewise-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise GatewiseError(f"{folder} is open to other users; remove it and try again")
    return folder


def sha256(path: str | Path) -> str:
    """Hex digest of a file's bytes, read in chunks."""
    with open_regular(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest(value: Any) -> str:
    """Hex sha256 of plain data in canonical JSON: equal data give equal digests."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def cores() -> int:
    """Processor cores this process may use (respects affinity masks and containers' cpusets)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
