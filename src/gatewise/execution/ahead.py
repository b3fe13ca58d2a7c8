"""Work ahead: cores that would be idle make what later stages need.

DVC goes through the stages one by one. Between two of them, while data are fetched, or while the
last run of a batch trains alone, a core has nothing to do. One process behind them all makes
meanwhile, at low priority, what depends on nothing that is still to come, and keeps it where the
stage will look for it (`gatewise.execution.kept_results`). What is made is a function of what it
is made from, so a study is the same with it and without.

It is a child of the warm process and ends with it. While costs are measured it stands still.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from gatewise.errors import GatewiseError
from gatewise.execution import warm
from gatewise.files import read_json, replacing, try_lock, write_json

WANTED = "GATEWISE_AHEAD"
"""Environment variable: set where whoever runs all stages wants this."""
FOLDER = Path(".gatewise/ahead")
NICENESS = 15
"""It gets a thirtieth of a core beside a process that trains."""
LOOK_SECONDS = 2.0
STARVING = 0.25
"""Share of one core below which a stage does not wait for it any longer."""


@dataclass(frozen=True)
class Piece:
    """Something that a stage will come to."""

    name: str
    """Of the stage with its item, `probe@gru`."""
    make: Callable[[], object]


def begin(
    work: Callable[[], None], address: str | None, *, anew: bool = False, folder: Path = FOLDER
) -> None:
    """Have `work` called in a process of its own, if that is wanted; returns at once.

    Args:
        work: calls `carry_out`; found by its name.
        address: the warm process that it is forked from, if there is one.
        anew: also if that process has done so before: there may be something new to be made.
        folder: where it is noted.
    """
    if address is None or WANTED not in os.environ:
        return
    begun = folder / "begun"
    with suppress(OSError, GatewiseError):  # the stages do everything themselves then
        if not anew and begun.is_file() and begun.read_text(encoding="utf-8") == address:
            return
        warm.leave(address, work, [])
        with replacing(begun) as temporary:
            temporary.write_text(address, encoding="utf-8")


def carry_out(pieces: Iterable[Piece], folder: Path = FOLDER) -> None:
    """Make the pieces in turn, unless another process is at it already."""
    working = try_lock(folder / "working.lock")
    if working is None:
        return
    with working:
        # A group of its own, to be stopped as a whole, whose members end with this process.
        os.setsid()
        os.register_at_fork(after_in_child=warm.die_with_parent)
        os.nice(NICENESS)
        write_json(_record(folder), {"group": os.getpid(), "began": _began(os.getpid())})
        for piece in pieces:
            # What cannot be made is for the stage to say.
            with suppress(Exception), FileLock(_claim(folder, piece.name)):
                piece.make()


@contextmanager
def claimed(name: str, folder: Path = FOLDER) -> Iterator[None]:
    """Nobody else makes `name` meanwhile: waits for what is being made ahead.

    Where other programs leave it no core, the process at low priority would be waited for in vain;
    it is ended then, and what it had not finished is made by who asks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(_claim(folder, name))
    used = _seconds(folder)
    while True:
        try:
            lock.acquire(timeout=LOOK_SECONDS)
        except Timeout:
            now = _seconds(folder)
            if now - used < STARVING * LOOK_SECONDS:
                _signal(folder, signal.SIGKILL)
            used = now
        else:
            break
    try:
        yield
    finally:
        lock.release()


@contextmanager
def quiet(folder: Path = FOLDER) -> Iterator[None]:
    """Nothing is made ahead meanwhile, as where time is measured."""
    _signal(folder, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(folder, signal.SIGCONT)


def _signal(folder: Path, number: int) -> None:
    group = _group(folder)
    if group is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def _seconds(folder: Path) -> float:
    """Processor time of the process that works ahead, and of those that it started."""
    group = _group(folder)
    if group is None:
        return 0.0
    total = 0.0
    with suppress(psutil.Error):
        first = psutil.Process(group)
        for process in [first, *first.children(recursive=True)]:
            with suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
    return total


def _group(folder: Path) -> int | None:
    """Process group of who works ahead; `None` if nobody does."""
    try:
        record = read_json(_record(folder))
        group, began = int(record["group"]), float(record["began"])
        # A number may have been given to another process since.
        return group if _began(group) == began else None
    except (OSError, ValueError, GatewiseError, KeyError, TypeError, psutil.Error):
        return None


def _began(process: int) -> float:
    return float(psutil.Process(process).create_time())


def _claim(folder: Path, name: str) -> Path:
    return folder / f"{name}.lock"


def _record(folder: Path) -> Path:
    return folder / "working.json"
