"""Writing outputs so that a crash leaves either the old file or the new one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import AcquireReturnProxy, FileLock, Timeout

from gatewise.errors import GatewiseError


class NotJsonError(GatewiseError, ValueError):
    """A file that should hold JSON holds something else."""


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
        if temporary.is_dir() and path.is_dir():
            # rename(2) cannot replace a folder that has files in it: step the old one aside.
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
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
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
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest(value: Any) -> str:
    """Hex sha256 of plain data in canonical JSON: equal data give equal digests."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def cores() -> int:
    """Processor cores this process may use (respects affinity masks and containers' cpusets)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
