"""DVC's command line as a child that never outlives us for long.

A retraining may be killed at any moment, and the next one must not meet what the killed one
left running. So DVC runs in a process group of its own, dies with us (on Linux the kernel sees
to it), and is written down: `end_leftovers` ends whatever of a recorded group still runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gatewise.errors import GatewiseError
from gatewise.files import read_json, write_json

RECORD = Path(".gatewise/retrain-child.json")
PR_SET_PDEATHSIG = 1
PATIENCE = 15.0
"""Seconds that a warm process is given to notice that its owner is gone."""
ABSENT = ("No such file or directory", "NoSuchKey", "404", "Not Found", "does not exist")
"""How remotes say that they can be reached, but lack a file."""
MEANINGS = (
    (
        "Unable to acquire lock",
        "another DVC is at work on this project; wait until it has finished",
    ),
    ("No space left on device", "the disk is full; free some space and run it again"),
    ("Read-only file system", "the file system is read-only"),
    ("Permission denied", "no permission to write; mend it and run it again"),
)


class DvcError(GatewiseError):
    """DVC failed; `said` is the end of its error output, by lines."""

    def __init__(self, message: str, said: list[str]) -> None:
        super().__init__(message)
        self.said = said


def pull() -> bool:
    """Bring all locked outputs and the stage cache from the remote.

    Returns:
        Whether the remote had all of them. What a push that was cut off never brought there is
        left out, and the stages concerned will run.

    Raises:
        DvcError: the remote cannot be reached or read.
    """
    try:
        call("pull", "--run-cache", "--allow-missing", "--force")
    except DvcError as error:
        failed = [line for line in error.said if "failed to transfer" in line]
        if not failed or not all(any(s in line for s in ABSENT) for line in failed):
            raise
        call("checkout", "--force", "--allow-missing")
        return False
    return True


def call(*arguments: str, quiet: bool = False) -> str:
    """Run `dvc` with these arguments; what it prints is passed on unless `quiet`.

    Returns:
        What it printed on standard output, if `quiet`.

    Raises:
        DvcError: it failed; the message is DVC's own last error.
    """
    command = [sys.executable, "-m", "dvc", *arguments]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            env=environment(),
        )
    except OSError as error:
        raise GatewiseError(f"dvc cannot be started: {error}") from None
    _write_down(process.pid)
    said: deque[str] = deque(maxlen=200)
    assert process.stderr is not None  # noqa: S101
    listener = threading.Thread(target=_pass_on, args=(process.stderr, said, quiet), daemon=True)
    listener.start()
    with _forwarding(process.pid):
        printed = process.stdout.read() if process.stdout else ""
        status = process.wait()
    listener.join(timeout=5)
    RECORD.unlink(missing_ok=True)
    if status != 0:
        lines = list(said)
        raise DvcError(f"dvc {arguments[0]}: {_reason(lines, status)}", lines)
    return printed


def environment() -> dict[str, str]:
    """Ours, with our own Python first: stages call `python`, and nobody need have activated it."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1"}


def has_remote() -> bool:
    """Whether the project names a DVC remote."""
    return bool(call("remote", "list", quiet=True).strip())


def status() -> dict[str, list[Any]]:
    """Stages that are not up to date, with what changed (`dvc status --json`)."""
    found: dict[str, list[Any]] = json.loads(call("status", "--json", quiet=True) or "{}")
    return found


def end_leftovers() -> bool:
    """End what a killed retraining left running; True if there was something."""
    import psutil

    try:
        record = read_json(RECORD)
    except (OSError, ValueError):
        return False
    root, group, began = str(Path.cwd()), int(record["group"]), float(record["began"])
    ended = False
    for process in psutil.process_iter(["pid", "create_time"]):
        with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
            # A number may have been given to somebody else's group since: look twice.
            mine = os.getpgid(process.pid) == group and process.create_time() >= began - 2
            if mine and process.cwd() == root:
                process.kill()
                ended = True
    _wait_for_warm(group)
    RECORD.unlink(missing_ok=True)
    return ended


def _wait_for_warm(owner: int) -> None:
    """The warm process of a DVC that is gone ends by itself within seconds, runs and all."""
    import psutil

    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if "gatewise.warm" in words and str(owner) in words:
                break
        else:
            return
        time.sleep(0.2)


def _write_down(group: int) -> None:
    write_json(RECORD, {"group": group, "began": time.time(), "by": os.getpid()})


def _die_with_parent() -> None:
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@contextlib.contextmanager
def _forwarding(group: int) -> Iterator[None]:
    """Ctrl-C and a polite end are for the whole group, which knows how to stop."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def forward(number: int, _frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)
        if number == signal.SIGTERM:
            raise SystemExit(128 + number)
        raise KeyboardInterrupt

    before = {n: signal.signal(n, forward) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _pass_on(stream: Any, said: deque[str], quiet: bool) -> None:
    for line in stream:
        said.append(line.rstrip())
        if not quiet:
            sys.stderr.write(line)
            sys.stderr.flush()


def _reason(said: list[str], status: int) -> str:
    text = "\n".join(said)
    for sign, meaning in MEANINGS:
        if sign in text:
            return meaning
    # A stage says `error: ...` itself, in words meant for people; DVC only adds which stage.
    own = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
    chosen = (own or errors or [line for line in said if line.strip()])[-1:]
    return chosen[0] if chosen else f"ended with status {status}"
