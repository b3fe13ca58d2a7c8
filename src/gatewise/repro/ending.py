"""What `gatewise repro` ends with: the answers, where the page is, and what one would do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from gatewise.artifacts import comparison
from gatewise.artifacts.comparison import Comparison
from gatewise.report import words

PAGE = "index.html"
NARROW = 60
"""Columns below which a command's meaning stands under it."""


@dataclass(frozen=True)
class Step:
    """Something to do next."""

    command: str
    meaning: str


def show(reports: str | Path = "reports", console: Console | None = None) -> None:
    """Print the ending for a person; colours only where the terminal has them.

    Args:
        reports: folder of the comparison and the page.
        console: where to print; standard output if left out.
    """
    reports, console = Path(reports), console or Console()
    found = Comparison.read(reports / comparison.FILE)
    console.print()
    for name, task in found.tasks.items():
        console.print(Text.assemble((name, "bold"), ": ", words.taken(task)), soft_wrap=True)
    page = (reports / PAGE).resolve()
    console.print()
    console.print(Text.assemble("the page:  ", (page.as_uri(), "underline")), soft_wrap=True)
    console.print("next:")
    steps = following(found)
    width = max(len(step.command) for step in steps)
    for step in steps:
        command = Text(step.command, style="bold")
        if console.width < max(NARROW, width + 20):
            console.print(Padding(command, (0, 0, 0, 2)), soft_wrap=True)
            console.print(Padding(Text(step.meaning, style="dim"), (0, 0, 0, 4)))
            continue
        line = Text.assemble("  ", command, " " * (width - len(step.command) + 2), step.meaning)
        console.print(line, soft_wrap=True)


def following(found: Comparison) -> Sequence[Step]:
    """The three commands that come next, for the first task that has an answer."""
    answered = ((n, t.answer.choice) for n, t in found.tasks.items() if t.answer is not None)
    task, choice = next(answered, (next(iter(found.tasks)), None))
    steps = [Step("gatewise ui", "every run in MLflow's pages: curves, settings, mistakes")]
    if choice is not None:
        seed = found.tasks[task].variants[choice].seeds[0]
        run = f"runs/{task}/{choice}/seed-{seed}"
        steps.append(Step(f"gatewise predict {run} FILE ...", "what it makes of new examples"))
        steps.append(Step(f"gatewise promote {task}", "offer the best run as the champion"))
    else:
        steps.append(Step("gatewise show", "what there is so far, as a table"))
        steps.append(Step("gatewise repro", "train what is missing"))
    return steps
