"""What `gatewise repro` printed and when: answers, and what each training took.

A log has a line for each that was printed, behind the seconds from the start:

       52.3 [10 of 46 done, about 6 min left] train commands-lstm
       56.0 commands/lstm seed 1: test accuracy 97.0 %, 9 epochs (1 of 8 trained)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_LOGGED = re.compile(r" *(\d+\.\d+) ?(.*)")
_ANSWER = re.compile(r"answer ([\w.-]+):")
_STAGE = re.compile(
    r"(?:Running stage '(?:[^']*:)?|\[\d+ of \d+ done, [^\]]* left\] )"
    r"([a-z]+)(?:[@ ][\w.-]+)?(?:':)?"
)
"""As DVC says it, and as `gatewise repro` does."""
_TRAINED = re.compile(r"(?:tune )?([\w.-]+)/([\w.-]+) (seed|trial) .*\((\d+) of \d+ trained\)$")

Run = tuple[str, str]
"""A task and a variant."""


class Line(NamedTuple):
    """Something that a command printed."""

    seconds: float
    """From its start."""
    text: str


class Batch(NamedTuple):
    """What one `tune` or `train` stage trained."""

    run: Run
    unit: Literal["seed", "trial"]
    count: int
    """Trainings."""
    seconds: float
    """From the stage's beginning to the next one's."""


def read(path: Path) -> list[Line]:
    """A log; what it printed last stands for the end.

    Raises:
        SystemExit: it is none.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = [
        Line(float(match[1]), _plain(match[2]))
        for match in map(_LOGGED.fullmatch, text.splitlines())
        if match
    ]
    if not lines:
        raise SystemExit(f"{path}: no line begins with seconds, as `  12.3 [0 of 46 done, ...`")
    return lines


def written(line: Line) -> str:
    """A line of a log."""
    return f"{line.seconds:7.1f} {_plain(line.text)}\n"


def answers(lines: Iterable[Line], tasks: Iterable[str]) -> dict[str, float]:
    """When each task's answer was printed first, in that order.

    Args:
        lines: of the log.
        tasks: of which there are answers; a line that names another is none.
    """
    known = set(tasks)
    found: dict[str, float] = {}
    for seconds, text in lines:
        match = _ANSWER.match(_plain(text))
        if match and match[1] in known:
            found.setdefault(match[1], seconds)
    return found


def by_kind(lines: Sequence[Line]) -> dict[str, float]:
    """Seconds of all stages of a kind, each until the next one's beginning, in their order.

    DVC's own work between two stages counts for the one before. What follows the last stage of a
    round until the next one's first (weighing who goes on, mirroring) counts for that stage.
    """
    found: dict[str, float] = {}
    before, name = 0.0, "start"
    for seconds, text in [*lines, Line(lines[-1].seconds, "[0 of 0 done, 0 left] end")]:
        if match := _STAGE.fullmatch(_plain(text)):
            found[name] = found.get(name, 0.0) + seconds - before
            before, name = seconds, match[1]
    return found


def batches(lines: Sequence[Line]) -> list[Batch]:
    """What each stage that trained something trained, and what that took."""
    starts = [number for number, line in enumerate(lines) if _STAGE.fullmatch(_plain(line.text))]
    found = []
    for first, last in zip(starts, [*starts[1:], len(lines) - 1], strict=True):
        trained = [
            match
            for line in lines[first:last]
            if (match := _TRAINED.fullmatch(_plain(line.text))) is not None
        ]
        if trained:
            task, variant, unit, _ = trained[-1].groups()
            took = lines[last].seconds - lines[first].seconds
            count = max(int(match[4]) for match in trained)
            found.append(Batch((task, variant), "seed" if unit == "seed" else "trial", count, took))
    return found


def trainings(found: Iterable[Batch]) -> dict[Run, dict[str, int]]:
    """How many seeds and trials each task and variant came to."""
    counts: dict[Run, dict[str, int]] = {}
    for batch in found:
        of_run = counts.setdefault(batch.run, {"seed": 0, "trial": 0})
        of_run[batch.unit] += batch.count
    return counts


def _plain(line: str) -> str:
    return _COLOURS.sub("", line).strip()
