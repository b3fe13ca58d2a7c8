"""`reports/probes/<variant>.json`: how far back a variant can reach, on synthetic problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from gatewise.artifacts.document import Document, Part
from gatewise.config import ProbeConfig


class ProbedLength(Part):
    """One length of a problem; scores are shares between 0 and 1."""

    length: int
    """In steps."""
    scores: tuple[float | None, ...]
    """One a seed; `None` where a shorter length was not solved, so this one was not tried."""
    score: float | None
    """Mean of the seeds that tried it."""
    extrapolated: float
    """Mean score of the models that learnt the shortest length."""


class Problem(Part):
    """One synthetic problem over all its lengths."""

    lengths: tuple[ProbedLength, ...]
    """Rising."""
    longest_solved: int | None
    """Median over seeds, in steps."""
    longest_by_seed: tuple[int, ...]
    """0 where even the shortest was not solved."""


class GradientDecay(Part):
    """How the last output's gradient shrinks with distance."""

    log10: tuple[float, ...]
    """log10 norm by distance in steps, mean over seeds."""
    half_life: float | None
    """Steps in which the mean halves; `None` where it does not shrink."""
    half_lives: tuple[float | None, ...]
    """One a seed."""


class Gradient(Part):
    """Before and after training."""

    initial: GradientDecay
    trained: GradientDecay

    @property
    def moments(self) -> dict[str, GradientDecay]:
        """Both by name."""
        return {"initial": self.initial, "trained": self.trained}


class ProbeReport(Document):
    """What probing one variant found."""

    stage: ClassVar[str] = "probe"

    titles: Mapping[str, str]
    """Problems as people call them."""
    note: str
    """How to read the figures."""
    settings: ProbeConfig
    probes: Mapping[str, Problem]
    gradient: Gradient
