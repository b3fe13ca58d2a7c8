"""What the registry and promotions need to know of a task's comparison, typed.

They read `comparison.json` here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatewise.config.metrics import METRICS, Metric
from gatewise.errors import GatewiseError
from gatewise.files import read_json
from gatewise.report import words

FILE = "comparison.json"


@dataclass(frozen=True)
class VariantScore:
    """A variant's test scores and what it costs."""

    mean: float
    std: float | None
    """Over seeds; none of a single one."""
    ci: tuple[float, float] | None
    """Interval of the mean."""
    seeds: int
    """How many."""
    macs_per_step: float
    parameters: float


@dataclass(frozen=True)
class PairVerdict:
    """Two variants and what the study says of them."""

    a: str
    b: str
    verdict: str
    """A variant that is better, `equivalent` or `undecided`."""
    sentence: str
    """The verdict with its evidence, for people."""


@dataclass(frozen=True)
class TaskComparison:
    """All of it for one task."""

    task: str
    metric: Metric
    variants: Mapping[str, VariantScore]
    pairs: tuple[PairVerdict, ...]

    @property
    def leader(self) -> str:
        """The variant with the best mean score; the first of equal ones."""
        return max(self.variants, key=lambda name: self.metric.gain(self.variants[name].mean))

    def pair(self, a: str, b: str) -> PairVerdict | None:
        """What the study says of two variants, in any order."""
        return next((pair for pair in self.pairs if {pair.a, pair.b} == {a, b}), None)

    def evidence(self, variant: str) -> str:
        """Sentences of all pairs that `variant` is in."""
        return " ".join(pair.sentence for pair in self.pairs if variant in (pair.a, pair.b))


def read(reports: str | Path, task: str) -> TaskComparison:
    """A task's part of the comparison in a folder of reports.

    Raises:
        GatewiseError: nothing was compared yet, or not this task.
    """
    path = Path(reports) / FILE
    if not path.is_file():
        raise GatewiseError(f"{path}: missing; run `dvc repro compare`")
    return of(read_json(path), task)


def of(comparison: Mapping[str, Any], task: str) -> TaskComparison:
    """A task's part of the comparison.

    Args:
        comparison: `reports/comparison.json`.
        task: its name.

    Raises:
        GatewiseError: the comparison does not know the task.
    """
    tasks = comparison["tasks"]
    if task not in tasks:
        raise GatewiseError(
            f"reports/comparison.json has no task {task!r}; it has {', '.join(tasks)}"
        )
    part = tasks[task]
    return TaskComparison(
        task,
        METRICS[part["metric"]],
        {
            name: VariantScore(
                variant["mean"],
                variant["std"],
                tuple(variant["ci"]) if variant["ci"] else None,
                len(variant["values"]),
                variant["macs_per_step"],
                variant["parameters"],
            )
            for name, variant in part["variants"].items()
        },
        tuple(
            PairVerdict(pair["a"], pair["b"], pair["verdict"], words.sentence(pair))
            for pair in part["pairs"]
        ),
    )
