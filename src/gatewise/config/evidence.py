"""Evidence: what is compared, and how many seeds there are."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from gatewise.config.strict import Fraction, Seeds, Strict


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
    resamples: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000
    """Bootstrap resamples."""


class Rounds(Strict):
    """Seeds added in rounds until every primary pair is decided (`seeds: auto`)."""

    first: Seeds = 8
    """Seeds before the first look at the results."""
    step: Seeds = 4
    """Seeds added in each round."""
    cap: Seeds = 32
    """Seeds after which the study ends, decided or not."""

    @model_validator(mode="after")
    def _room(self) -> Rounds:
        if self.cap < self.first:
            raise ValueError(f"cap {self.cap} is below first {self.first}")
        return self

    @property
    def looks(self) -> list[int]:
        """Seed counts at which results are looked at; the last is the cap."""
        return sorted({*range(self.first, self.cap, self.step), self.cap})
