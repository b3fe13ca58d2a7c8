"""Evidence: what is compared, what is probed, and how many seeds there are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gatewise.config.strict import Count, Fraction, Positive, Strict


class CompareConfig(Strict):
    """What counts as evidence; declared before the results are seen."""

    primary: tuple[tuple[str, str], ...] = ()
    """Pairs [a, b] that the study is about; corrected together. All others are secondary."""
    alpha: Fraction = 0.05
    """Family-wise error rate."""
    rope: Annotated[float, Field(ge=0)] = 0.005
    """Region of practical equivalence: differences within +-rope of the metric are the same."""
    power: Fraction = 0.8
    """Power wanted when computing how many seeds are needed."""
    resamples: Annotated[int, Field(ge=100)] = 10_000
    """Bootstrap resamples."""
    choose: Literal["accuracy", "macs", "parameters", "step_time", "latency"] = "macs"
    """What to take: the best by the task's metric (`accuracy`), or the cheapest by this cost whose
    shortfall stays within `tolerance`. A step's time and latency are this machine's."""
    tolerance: Annotated[float, Field(ge=0)] = 0.01
    """How far below the best the choice may lie at worst, in the metric's own value."""


class ProbeConfig(Strict):
    """Synthetic problems that ask how far back each variant can reach."""

    adding_lengths: Annotated[tuple[Count, ...], Field(min_length=1)] = (10, 25, 60)
    """Steps of the adding problem, rising; published sizes go to 600."""
    copy_lengths: Annotated[tuple[Count, ...], Field(min_length=1)] = (5, 12, 30)
    """Blank steps of copy memory, rising; published sizes go to 1000."""
    parity_lengths: Annotated[tuple[Count, ...], Field(min_length=1)] = (4, 8, 16)
    """Bits of parity, rising."""
    steps: Count = 250
    """Updates before a length counts as not solved."""
    batch_size: Count = 32
    learning_rate: Positive = 1e-2
    seeds: Count = 3
    gradient_length: Annotated[int, Field(ge=2)] = 100
    """Steps over which the gradient is followed back."""

    @model_validator(mode="after")
    def _rising(self) -> ProbeConfig:
        for name in ("adding", "copy", "parity"):
            lengths = self.lengths(name)
            if list(lengths) != sorted(set(lengths)):
                raise ValueError(f"{name}_lengths {list(lengths)} must rise")
        return self

    def lengths(self, problem: str) -> tuple[int, ...]:
        """Lengths of `adding`, `copy` or `parity`."""
        found: tuple[int, ...] = getattr(self, f"{problem}_lengths")
        return found


class Rounds(Strict):
    """Seeds added in rounds until every task is answered (`seeds: auto`).

    A task gets more seeds while its choice is not known to lie within `compare.tolerance` of the
    best, or while a primary pair is undecided that `cap` seeds are expected to decide; variants
    that are shown not to be the best get none.
    """

    first: Count = 8
    """Seeds before the first look at the results."""
    step: Count = 4
    """Seeds added in each round."""
    cap: Count = 32
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
