"""What a killed DVC leaves: processes that still run, a lock or a list that is half written."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil

from gatewise import files
from gatewise.config import yaml_file
from gatewise.errors import GatewiseError
from gatewise.execution import warm
from gatewise.files import NotJsonError, read_json, replacing, write_json

RECORD = Path(".gatewise/retrain-child.json")
LOCK, BACKUP = Path("dvc.lock"), Path(".gatewise/dvc.lock")
RWLOCK, DVC_LOCK = Path(".dvc/tmp/rwlock"), Path(".dvc/tmp/lock")
READ_BY_DVC = ("dvc.yaml", "dvc.lock", "params.yaml", "seeds.lock", "tuning.lock", str(RWLOCK))
PATIENCE = 10.0
"""Seconds to wait for what was killed to be gone."""


def write_down(group: int) -> None:
    """Note the process group in which DVC begins to work, and keep the lock that it will change."""
    if LOCK.is_file():
        with replacing(BACKUP) as temporary:
            shutil.copy(LOCK, temporary)
    else:
        BACKUP.unlink(missing_ok=True)
    write_json(RECORD, {"group": group, "began": time.time(), "by": os.getpid()})


def forget() -> None:
    """DVC has ended by itself."""
    RECORD.unlink(missing_ok=True)


def end() -> bool:
    """End what a killed retraining left running; True if there was something."""
    try:
        record = read_json(RECORD)
    except (OSError, ValueError):
        return False
    processes = [*_group(int(record["group"]), float(record["began"]))]
    processes += _warm({str(record["group"]), str(record["by"])})
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    deadline = time.monotonic() + PATIENCE
    while any(warm.alive(process.pid) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.01)
    _mend_lock()
    forget()
    return bool(processes)


def require_regular(
    roots: Iterable[str] = ("data", "runs", "reports"), single: Iterable[str] = READ_BY_DVC
) -> None:
    """Refuse pipes and devices where stages write: DVC would read from them for ever.

    Args:
        roots: folders that stages write to.
        single: files that DVC itself reads, which may not be folders either.

    Raises:
        DamagedError: naming the first of them.
        GatewiseError: DVC's lock is nested so deeply that DVC would crash.
    """
    for name in single:
        with contextlib.suppress(FileNotFoundError):
            files.require_regular(name)
    _require_shallow(LOCK)
    for root in roots:
        for folder, _folders, names in os.walk(root):
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    files.require_regular(Path(folder, name))


def _require_shallow(lock: Path) -> None:
    """Whatever else is wrong with the lock, DVC says itself."""
    with contextlib.suppress(FileNotFoundError, UnicodeDecodeError):
        yaml_file.require_shallow(lock.read_text(encoding="utf-8"), lock)


def mend_rwlock() -> None:
    """Take from DVC's list of what is in use what a killed DVC left there.

    Where it wrote the list half, the whole: it cannot be read then, and DVC would refuse to work
    ever after. Else what belongs to processes that have ended: DVC passes over those as well, but
    takes one for alive that nobody has reaped yet.
    """
    for _ in range(2):  # another DVC may be writing it this very moment
        try:
            in_use = read_json(RWLOCK)
        except FileNotFoundError:
            return
        except NotJsonError:
            time.sleep(0.2)
        else:
            held = {path: _held(users) for path, users in in_use.items()}
            if held != in_use:
                write_json(RWLOCK, {path: users for path, users in held.items() if users})
            return
    RWLOCK.unlink(missing_ok=True)


def require_idle(root: str | Path = ".") -> None:
    """Refuse while DVC runs in a project: it would find another study's files half-way.

    While a stage runs DVC only notes what is in use; between stages it holds its lock.

    Raises:
        GatewiseError: naming the process, where DVC says which.
    """
    process = _at_work(Path(root))
    if process is not None:
        raise GatewiseError(
            f"DVC is at work here ({process}); wait until it has ended, or stop it with Ctrl-C: "
            "what was finished is kept"
        )


def _at_work(root: Path) -> str | None:
    """Which DVC runs in a project, in words; `None` if none does."""
    with contextlib.suppress(FileNotFoundError, NotJsonError):
        for users in read_json(root / RWLOCK).values():
            held = _held(users)
            for user in [*held.get("read", []), *([held["write"]] if "write" in held else [])]:
                return f"process {user['pid']}"
    with contextlib.suppress(FileNotFoundError), (root / DVC_LOCK).open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)  # given back with the file
        except BlockingIOError:
            return "another process holds its lock"
    return None


def _held(users: dict[str, Any]) -> dict[str, Any]:
    """Who of those that DVC notes for a path (one writer, or readers) still runs."""
    writer, readers = users.get("write"), users.get("read", [])
    running = [reader for reader in readers if warm.alive(reader["pid"])]
    held: dict[str, Any] = {"read": running} if running else {}
    if writer and warm.alive(writer["pid"]):
        held["write"] = writer
    return held


def _mend_lock() -> None:
    """Put back the lock from before a killed DVC that wrote it half; its stages are cached."""
    if not LOCK.is_file() or _whole(LOCK):
        return
    if BACKUP.is_file():
        with replacing(LOCK) as temporary:
            shutil.copy(BACKUP, temporary)
    else:
        LOCK.unlink()


def _whole(lock: Path) -> bool:
    """Whether DVC could read it: it is rewritten in place, so its end may be missing."""
    try:
        text = lock.read_text(encoding="utf-8")
        content = yaml_file.parse(text, lock, yaml_file.MOST_LOCKED)
        entries = [
            entry
            for stage in content["stages"].values()
            for entry in [*stage.get("deps", ()), *stage.get("outs", ()), {**stage, "path": ""}]
        ]
        ended = all("path" in entry and ("cmd" in entry or "size" in entry) for entry in entries)
        return ended and text.endswith("\n")
    except (GatewiseError, UnicodeDecodeError, AttributeError, TypeError, KeyError):
        return False


def _group(group: int, began: float) -> Iterator[psutil.Process]:
    """Processes of a group that was begun here."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
            # A number may have been given to somebody else's group since: look twice.
            ours = os.getpgid(process.pid) == group and process.create_time() >= began - 2
            if ours and Path(process.cwd()) == Path.cwd():
                yield process


def _warm(owners: set[str]) -> Iterator[psutil.Process]:
    """The warm process of an owner that is gone, and all that was forked from it.

    It would notice by itself, but only once it has imported everything.
    """
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        with contextlib.suppress(psutil.Error, IndexError):
            ours = words[2] == "gatewise.execution.warm" and words[4] in owners
            if ours and Path(process.cwd()) == Path.cwd():
                process.suspend()  # forks no more while its children are counted
                yield from process.children(recursive=True)
                yield process
