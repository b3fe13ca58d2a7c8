"""Predictions of two runs on the same examples, in forms that can be cut and counted alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from gatewise.config.metrics import count_predicted

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Judged(Protocol):
    """What one run says of some examples, in a form that any part of them can be counted in."""

    def where(self, mask: npt.NDArray[np.bool_]) -> Self:
        """The examples that `mask` chooses."""

    @property
    def classes(self) -> int:
        """One more than the largest class; 1 where there are none."""

    def counts(self, unit: Ints, units: int, classes: int) -> Floats:
        """Counts of each unit, `(units, rows, classes)`."""


@dataclass(frozen=True)
class JudgedClasses:
    """Predictions of classes, numbered alike for candidate and reference."""

    label: Ints
    """Class of each example, `(examples,)`."""
    predicted: Ints
    """What it was taken for, `(examples,)`; -1 for a class that the candidate does not know."""
    losses: Floats
    """Negative log probability of each example's own label, `(examples,)`, in nats."""

    def where(self, mask: npt.NDArray[np.bool_]) -> JudgedClasses:
        """The examples that `mask` chooses."""
        return JudgedClasses(self.label[mask], self.predicted[mask], self.losses[mask])

    @property
    def classes(self) -> int:
        """One more than the largest class."""
        return 1 + max(int(part.max(initial=-1)) for part in (self.label, self.predicted))

    def counts(self, unit: Ints, units: int, classes: int) -> Floats:
        """Counts of each unit, `(units, 4, classes)`."""
        return count_predicted(self.label, self.predicted, self.losses, classes, unit, units)


@dataclass(frozen=True)
class JudgedCounts:
    """Predictions that carry their counts."""

    each: Floats
    """Of every example, `(examples, rows)`."""

    def where(self, mask: npt.NDArray[np.bool_]) -> JudgedCounts:
        """The examples that `mask` chooses."""
        return JudgedCounts(self.each[mask])

    @property
    def classes(self) -> int:
        """There are none."""
        return 1

    def counts(self, unit: Ints, units: int, classes: int) -> Floats:
        """Counts of each unit, `(units, rows, 1)`."""
        del classes
        sums = [np.bincount(unit, column, minlength=units) for column in self.each.T]
        return np.stack(sums, axis=1).astype(np.float64)[..., None]
