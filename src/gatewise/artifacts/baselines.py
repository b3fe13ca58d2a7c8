"""`reports/baselines/<task>.json`: what a task is worth without recurrence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from gatewise.artifacts.document import Document, Interval, Part


class ScoreSummary(Part):
    """Scores over seeds in brief, in the metric's own value."""

    mean: float
    std: float | None
    """Over seeds; `None` with fewer than two."""
    ci: Interval | None
    """Bootstrap interval of the mean; `None` with fewer than two seeds."""


LINEAR = "linear"
"""Name of the linear model among the baselines."""
GroupCounts = Mapping[str, tuple[tuple[int, int, float], ...]]
"""Counts of one seed's test predictions by test group: row, class and count of those above zero, as
the task's objective counts; summed over classes where the metric does not count by class."""


class BaselineScore(ScoreSummary):
    """One baseline's test scores."""

    title: str
    """As tables call it."""
    values: tuple[float, ...]
    """One a seed, or a single one where the examples do not change with the seed."""
    seeds: tuple[int, ...]
    counts: tuple[GroupCounts, ...] = Field((), exclude_if=lambda counts: not counts)
    """As many as `values`, of baselines that are weighed against the answer's choice."""


class BaselineReport(Document):
    """All baselines of one task."""

    stage: ClassVar[str] = "baseline"

    task: str
    metric: str
    """Name of the task's primary metric."""
    baselines: Mapping[str, BaselineScore]
