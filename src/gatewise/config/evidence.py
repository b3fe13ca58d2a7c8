"""Evidence: what is compared, and how many seeds there are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from gatewise.config.metrics import METRICS, Metric
from gatewise.config.strict import Fraction, Positive, Seeds, Strict, suggest


class CompareConfig(Strict):
    """What counts as evidence; declared before the results are seen."""

    primary: tuple[tuple[str, str], ...] = ()
    """Pairs [a, b] that the study is about; corrected together. All others are secondary."""
    alpha: Fraction = 0.05
    """Family-wise error rate."""
    rope: Annotated[float, Field(ge=0)] = 0.005
    """Region of practical equivalence: differences within +-rope of the metric are the same. For
    metrics that are no shares, their own, unless `ropes` gives another."""
    ropes: dict[str, Positive] = Field(default_factory=dict, exclude_if=lambda ropes: not ropes)
    """The same of single metrics, by name; `tolerance` goes with it in proportion."""
    power: Fraction = 0.8
    """Power wanted when computing how many seeds are needed."""
    resamples: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000
    """Bootstrap resamples."""
    choose: Literal["accuracy", "macs", "parameters", "step_time", "latency"] = "macs"
    """What to take: the best by the task's metric (`accuracy`), or the cheapest by this cost whose
    shortfall stays within `tolerance`. A step's time and latency are this machine's."""
    tolerance: Annotated[float, Field(ge=0)] = 0.01
    """How far below the best the choice may lie at worst, in the metric's own value."""

    @field_validator("ropes")
    @classmethod
    def _known(cls, value: dict[str, float]) -> dict[str, float]:
        for name in value:
            if name not in METRICS:
                raise ValueError(f"unknown metric {name!r}{suggest(name, METRICS)}")
        return value

    def by(self, metric: Metric) -> CompareConfig:
        """The settings with the region of equivalence, and the tolerance, that suit a metric."""
        rope = self.ropes.get(metric.name, metric.rope)
        if rope is None or rope == self.rope:
            return self
        tolerance = self.tolerance * rope / self.rope if self.rope else self.tolerance
        return self.model_copy(update={"rope": rope, "tolerance": tolerance})


class Rounds(Strict):
    """Seeds added in rounds until every task is answered (`seeds: auto`).

    A task gets more seeds while its choice is not known to lie within `compare.tolerance` of the
    best and a primary pair is undecided; variants that are shown not to be the best get none.
    """

    first: Seeds = 8
    """Seeds before the first look at the results."""
    step: Seeds = 4
    """Seeds added in each round."""
    cap: Seeds = 32
    """Seeds after which a task ends, answered or not."""
    minutes: Positive | None = None
    """Begin no round that would, at the pace of the last, end later than this after the start."""

    @model_validator(mode="after")
    def _room(self) -> Rounds:
        if self.cap < self.first:
            raise ValueError(f"cap {self.cap} is below first {self.first}")
        return self

    @property
    def looks(self) -> list[int]:
        """Seed counts at which results are looked at; the last is the cap."""
        return sorted({*range(self.first, self.cap, self.step), self.cap})
