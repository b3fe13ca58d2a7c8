"""DVC's command line as a child that never outlives us for long.

A retraining may be killed at any moment, and the next one must not meet what the killed one
left running. So DVC runs in a process group of its own, dies with us (on Linux the kernel sees
to it), and is written down for the next one (`gatewise.repro.leftovers`).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from gatewise.errors import GatewiseError
from gatewise.execution import warm
from gatewise.repro import leftovers

ABSENT = ("No such file or directory", "NoSuchKey", "404", "Not Found", "does not exist")
"""How remotes say that they can be reached, but lack a file."""
LEFT_OUT = "do not exist neither locally nor on remote"
"""DVC's words for what `--allow-missing` allowed to be missing."""
NOWHERE = "neither DVC's cache nor its remote holds the files"
MEANINGS = (
    (
        "Unable to acquire lock",
        "another DVC is at work on this project; wait until it has finished",
    ),
    ("No space left on device", "the disk is full; free some space and run it again"),
    ("Read-only file system", "the file system is read-only"),
    ("No storage files available", NOWHERE),
    ("failed to load directory", NOWHERE),
    ("Permission denied", "no permission to write; mend it and run it again"),
)


class DvcError(GatewiseError):
    """DVC failed; `said` is the end of its error output, by lines."""

    def __init__(self, message: str, said: list[str]) -> None:
        super().__init__(message)
        self.said = said


def pull() -> Literal["whole", "partial", "damaged"]:
    """Bring all locked outputs and the stage cache from the remote, or what there is of them.

    Returns:
        `partial`: it lacks outputs, as after a push that was cut off; the stages concerned will
        run, and the next push adds them. `damaged`: it lacks files of folders whose list it has,
        which no push leaves behind, and which DVC therefore never pushes again.

    Raises:
        GatewiseError: the remote cannot be reached or read.
    """
    try:
        _, said = _run("pull", "--run-cache", "--allow-missing", "--force")
    except DvcError as error:
        failed = [line for line in error.said if "failed to transfer" in line]
        if not failed or not all(any(s in line for s in ABSENT) for line in failed):
            raise
        call("checkout", "--force", "--allow-missing")
        return "damaged"
    if not any(LEFT_OUT in line for line in said):
        return "whole"
    _require_answer()
    return "partial"


def _require_answer() -> None:
    """DVC takes a file as missing where a web server does not answer at all: ask it."""
    # Not `remote list`, which breaks long addresses over several lines.
    for line in call("config", "--list", quiet=True).splitlines():
        key, _, address = line.partition("=")
        if not re.fullmatch(r"remote\..*\.url", key) or not address.startswith("http"):
            continue
        try:
            urllib.request.urlopen(address, timeout=20).close()  # noqa: S310  # of the project
        except urllib.error.HTTPError:
            continue  # an answer, too
        except OSError as error:
            raise GatewiseError(f"dvc pull: {address} does not answer ({error})") from None


def call(*arguments: str, quiet: bool = False) -> str:
    """Run `dvc` with these arguments.

    Args:
        arguments: of the command line.
        quiet: only a question: what it prints is kept, and nobody need know that it runs.

    Returns:
        What it printed on standard output, if `quiet`.

    Raises:
        DvcError: it failed; the message is DVC's own last error.
    """
    return _run(*arguments, quiet=quiet)[0]


def _run(*arguments: str, quiet: bool = False) -> tuple[str, list[str]]:
    """The same; also the end of its error output, by lines."""
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "dvc", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=warm.die_with_parent,  # noqa: PLW1509
            env={**environment(), warm.OWNER: str(os.getpid())},
        )
    except OSError as error:
        raise GatewiseError(f"dvc cannot be started: {error}") from None
    if not quiet:
        leftovers.write_down(process.pid)
    said: deque[str] = deque(maxlen=200)
    assert process.stderr is not None  # noqa: S101
    listener = threading.Thread(target=_pass_on, args=(process.stderr, said, quiet), daemon=True)
    listener.start()
    with _forwarding(process.pid):
        printed = process.stdout.read() if process.stdout else ""
        status = process.wait()
    listener.join(timeout=5)
    if not quiet:
        leftovers.forget()
    if status != 0:
        raise DvcError(f"dvc {arguments[0]}: {_reason(list(said), status)}", list(said))
    return printed, list(said)


def environment() -> dict[str, str]:
    """Ours, with our own Python first: stages call `python`, and nobody need have activated it.

    Some images forbid Python to keep compiled modules, which costs every stage and every run the
    time to compile them anew.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    changed = {"PATH": path, "DVC_NO_ANALYTICS": "1", "PYTHONDONTWRITEBYTECODE": ""}
    return {**os.environ, **changed}


def get(project: Path, path: str, commit: str, target: Path) -> None:
    """Bring an output as of a commit from the project's cache or remote.

    Raises:
        DvcError: it is in neither, or the commit knows no such output.
    """
    words = ["get", str(project), path, "--rev", commit, "--out", str(target)]
    call(*words, quiet=True)


def has_remote() -> bool:
    """Whether the project names a DVC remote."""
    return bool(call("remote", "list", quiet=True).strip())


def status() -> dict[str, list[Any]]:
    """Stages that are not up to date, with what changed (`dvc status --json`)."""
    stages: dict[str, list[Any]] = json.loads(call("status", "--json", quiet=True) or "{}")
    return stages


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
    errors = [_whole(said, place) for place, line in enumerate(said) if line.startswith("ERROR: ")]
    chosen = (own or errors or [line for line in said if line.strip()])[-1:]
    return chosen[0] if chosen else f"ended with status {status}"


def _whole(said: list[str], place: int) -> str:
    """An error of DVC's with the indented lines that it announces by a colon at its end."""
    lines = [said[place].removeprefix("ERROR: ")]
    if lines[0].endswith(":"):
        for line in said[place + 1 :]:
            if not line.startswith((" ", "\t")):
                break
            lines.append(line.strip())
    return " ".join(lines)
