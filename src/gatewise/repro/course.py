"""How far `dvc repro` has come: what is done, what is left and about when, a line a stage.

DVC says on standard output which stage it skips and which it runs. These lines are read on their
way to the terminal and replaced by one that counts; all others pass. How long stages took is kept
in `.gatewise/pace.json`, which nothing but these lines reads.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gatewise.config import Study
from gatewise.files import write_json

PACE = Path(".gatewise/pace.json")
RUNS = re.compile(r"Running stage '(?:.*:)?([^':]+)':")
SKIPS = re.compile(
    r"Stage '(?:.*:)?([^':]+)' (?:didn't change, skipping|is cached - skipping run.*)"
)
QUIET = re.compile(
    r"> python -m pipeline\.|Updating lock file|Generating lock file|Use `dvc push`|"
    r"To track the changes with git, run:|\tgit add |To enable auto staging|\tdvc config core.auto"
)
"""Lines of DVC's that say nothing to somebody who waits for an answer."""
USUAL = {
    "plan": 5.0,
    "fetch": 5.0,
    "prepare": 6.0,
    "tune": 40.0,
    "train": 40.0,
    "profile": 15.0,
    "baseline": 8.0,
    "context": 5.0,
    "probe": 30.0,
    "compare": 10.0,
    "report": 6.0,
}
"""Seconds of a stage of each kind, until one has been seen."""
_BY_TASK = ("fetch", "prepare", "profile", "baseline", "context")
_BY_VARIANT = ("tune", "train")


class Course:
    """Counts the stages of one `dvc repro`."""

    def __init__(
        self,
        stages: Sequence[str],
        pace: Mapping[str, float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with all `stages` to come.

        Args:
            stages: their names, as DVC has them: `train@digits-lstm`.
            pace: seconds that stages took before, by name.
            clock: seconds since some moment.
        """
        self.total = len(stages)
        self.left = dict.fromkeys(stages)
        self.pace = dict(pace or {})
        self.clock = clock
        self.running: tuple[str, float] | None = None

    def heading(self) -> str:
        """What there is to do, before anything is known of what is done already."""
        return (
            f"{self.total} stages, {_duration(self._expected(self.left))} if none was finished "
            "before; Ctrl-C is safe at any moment"
        )

    def read(self, line: str) -> str | None:
        """What to show for a line of DVC's; `None` for nothing."""
        if skipped := SKIPS.fullmatch(line):
            self._end_running()
            self.left.pop(skipped[1], None)
            return None
        if running := RUNS.fullmatch(line):
            self._end_running()
            self.left.pop(running[1], None)
            self.running = (running[1], self.clock())
            return self._line(running[1])
        return None if QUIET.match(line) or not line.strip() else line

    def finish(self) -> None:
        """The last stage has ended."""
        self._end_running()

    def _end_running(self) -> None:
        if self.running is not None:
            name, began = self.running
            took = self.clock() - began
            # What finds all of its work done takes no time, and next time there may be some again.
            self.pace[name] = round(max(took, self.pace.get(name, 0.0) / 2), 1)
            self.running = None

    def _line(self, name: str) -> str:
        done = self.total - len(self.left) - 1
        left = self._expected([name, *self.left])
        return f"[{done} of {self.total} done, {_duration(left)} left] {name.replace('@', ' ')}"

    def _expected(self, names: Sequence[str] | Mapping[str, None]) -> float:
        return sum(self._seconds(name) for name in names)

    def _seconds(self, name: str) -> float:
        if name in self.pace:
            return self.pace[name]
        kind = name.partition("@")[0]
        alike = [took for other, took in self.pace.items() if other.partition("@")[0] == kind]
        return sum(alike) / len(alike) if alike else USUAL.get(kind, 10.0)


def stages(study: Study) -> list[str]:
    """Names of all stages of the study, as DVC has them."""
    tasks, variants = study.tasks, study.variants
    return [
        "plan",
        *(f"{kind}@{task}" for kind in _BY_TASK for task in tasks),
        *(
            f"{kind}@{task}-{variant}"
            for kind in _BY_VARIANT
            for task in tasks
            for variant in variants
        ),
        *(f"probe@{variant}" for variant in variants),
        "compare",
        "report",
    ]


@contextmanager
def shown(study: Study, pace: Path = PACE) -> Iterator[int]:
    """Show how far a `dvc repro` has come.

    Args:
        study: what it reproduces.
        pace: file of how long stages took.

    Yields:
        A file descriptor for its standard output; what it gets is passed on, but for DVC's lines.
    """
    course = Course(stages(study), _read(pace))
    print(course.heading(), flush=True)
    read, write = os.pipe()
    listener = threading.Thread(target=_pass_on, args=(read, course), daemon=True)
    listener.start()
    try:
        yield write
    finally:
        os.close(write)
        # What a stage left running may hold the pipe open for ever.
        listener.join(timeout=5)
        course.finish()
        write_json(pace, course.pace)


def expect(seconds: Mapping[str, float], pace: Path = PACE) -> None:
    """Note how long stages will take by what is known beforehand, for a study that is new."""
    write_json(pace, {**_read(pace), **seconds})


def environment() -> dict[str, str]:
    """What a child needs to write into a pipe as it would at this terminal: at once, in colour."""
    found = {"PYTHONUNBUFFERED": "1"}
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
        found |= {"FORCE_COLOR": "1", "COLUMNS": str(columns)}
    return found


def _pass_on(descriptor: int, course: Course) -> None:
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            told = course.read(line.rstrip("\n"))
            if told is not None:
                print(told, flush=True)


def _read(path: Path) -> dict[str, float]:
    """How long stages took; nothing where that is not known, or the file is damaged."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): max(0.0, float(took)) for name, took in said.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(5, 5 * round(seconds / 5))} s"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"
