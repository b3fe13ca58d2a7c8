"""`reports/probes/<variant>.json`: how far back a variant can reach, on synthetic problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from gatewise.artifacts.document import Document, Part
from gatewise.config import ProbeConfig


class ProbedRun(Part):
    """One run of one length; scores are between 0 and 1."""

    seed: int
    updates: int
    """Until it was solved, or until it ended without."""
    solved: bool
    futile: bool
    """Stopped before its budget, being no better than chance."""
    score: float
    """At the end."""


class Attempt(Part):
    """A start and a rate that were tried by the run that chooses among them."""

    start: str
    learning_rate: float
    updates: int
    """Until it was solved, or until it ended without."""
    solved: bool
    score: float


class Runs(Part):
    """Several seeds at one start and rate."""

    start: str
    learning_rate: float
    runs: tuple[ProbedRun, ...]
    median: float | None
    """Updates after which half of the runs have solved it (Kaplan-Meier); `None` beyond what was
    watched."""
    median_low: float | None
    median_high: float | None
    """Bounds of the median at 95 %."""

    @property
    def solved(self) -> int:
        """How many runs solved it."""
        return sum(run.solved for run in self.runs)


class ProbedLength(Runs):
    """One length of a problem."""

    length: int
    """In what the problem counts."""
    steps: int
    """The farthest that an answer lies from what it needs."""
    attempts: tuple[Attempt, ...]
    """What chose start and rate, in the order tried; none where those of the length before served
    this one, too."""


class Problem(Part):
    """One synthetic problem over its lengths."""

    title: str
    paper: str
    length_means: str
    """What a length counts."""
    lengths: tuple[ProbedLength, ...]
    """Those that were learnt, rising: up to the first that fewer than half of the runs solved."""
    asked: tuple[int, ...]
    """All lengths of the settings."""
    longest_by_seed: tuple[int, ...]
    """The longest length that each seed solved with all shorter ones; 0 for none."""
    longest_solved: int | None
    """The longest that at least half of the seeds solved."""
    beyond: Mapping[int, tuple[float, ...]]
    """By length, scores of the models that learnt the shortest length, one a seed."""
    reach_by_seed: tuple[int, ...]
    """The longest length that the model of the shortest one still solves; 0 for none."""


class GradientDecay(Part):
    """How the loss's gradient shrinks with distance."""

    log10: tuple[float, ...]
    """log10 norm by distance in steps, mean over seeds."""
    low: tuple[float, ...]
    high: tuple[float, ...]
    """Least and largest over seeds."""
    left: tuple[float, ...]
    """What is left of the nearest steps' norm at `gradient_reach`, log10, one a seed."""
    half_life: float | None
    """Steps in which the mean halves; `None` where it does not shrink."""
    half_lives: tuple[float | None, ...]
    """One a seed."""


class Gradient(Part):
    """Of the adding problem, before and after training, at the variant's best start."""

    start: str
    initial: GradientDecay
    trained: GradientDecay

    @property
    def moments(self) -> dict[str, GradientDecay]:
        """Both by name."""
        return {"initial": self.initial, "trained": self.trained}


class ProbeReport(Document):
    """What probing one variant found."""

    stage: ClassVar[str] = "probe"

    note: str
    """How to read the figures."""
    settings: ProbeConfig
    unprobed: str | None = None
    """Why nothing was probed, where nothing was."""
    probes: Mapping[str, Problem]
    starts: Mapping[str, Runs]
    """By start, at its best rate: the first length of the first problem."""
    gradient: Gradient | None
    """`None` where the adding problem was left out."""
