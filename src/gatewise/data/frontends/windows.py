"""From the history of a series to what a model sees of it: the last steps, free of its size.

Three features a step: the value against the level of the last season, the change since the same
step a season ago in units of the scale, and that scale against the level. The scale is the mean
absolute error of the seasonal naive forecast within the whole history (Hyndman & Koehler 2006).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FEATURES = 3
FARTHEST = 10.0
"""Features are cut here: a series that leaps by ten levels says no more by leaping farther."""
SEASONS = 2
"""Seasons that every history has to exceed."""


@dataclass(frozen=True)
class Window:
    """A history as a model sees it, and what its forecasts are measured from."""

    sequence: np.ndarray
    """float32 `(steps, FEATURES)`."""
    naive: np.ndarray
    """Seasonal naive forecast, float64 `(horizon,)`."""
    scale: float

    def target(self, actual: np.ndarray | None = None) -> np.ndarray:
        """float32 `(horizon, 3)`: actual values (0 where unknown), naive forecasts, the scale."""
        known = np.zeros(len(self.naive)) if actual is None else actual
        columns = [known, self.naive, np.full(len(self.naive), self.scale)]
        return np.stack(columns, axis=1).astype(np.float32)


class History:
    """A series, from which windows are cut; what hangs on all of it is summed up once."""

    def __init__(self, values: np.ndarray, season: int) -> None:
        """Take `values`, finite numbers `(values,)`, with seasons of so many steps."""
        self.values = np.asarray(values, dtype=np.float64)
        self.season = season
        self._changes = self.values[season:] - self.values[:-season]
        self._moved = np.concatenate([[0.0], np.cumsum(np.abs(self._changes))])

    def problem(self, origin: int) -> str | None:
        """Why nothing can be forecast from the first `origin` values; `None` if it can."""
        needed = shortest(self.season)
        if origin < needed:
            return (
                f"{origin} value{'s' * (origin != 1)} of history; with a season of {self.season} "
                f"at least {needed} are needed"
            )
        if self._moved[origin - self.season] > 0:
            return None
        if self.values[:origin].min() == self.values[:origin].max():
            return "the series is constant"
        return f"every season of {self.season} repeats the one before: nothing is to be forecast"

    def window(self, origin: int, steps: int, horizon: int) -> Window:
        """The window that ends with the first `origin` values, which have no `problem`.

        Args:
            origin: values before the horizon.
            steps: most steps that the model sees.
            horizon: steps to forecast.
        """
        season, begin = self.season, max(0, origin - steps)
        scale = float(self._moved[origin - season] / (origin - season))
        last = self.values[origin - season : origin]
        level = float(np.abs(last).mean()) or scale
        part = self.values[begin:origin]
        change = np.zeros(len(part))
        recent = self._changes[max(0, begin - season) : origin - season]
        change[len(part) - len(recent) :] = recent
        columns = [part / level - 1, change / scale, np.full(len(part), np.log(scale / level))]
        sequence = np.clip(np.stack(columns, axis=1), -FARTHEST, FARTHEST).astype(np.float32)
        return Window(sequence, np.tile(last, -(-horizon // season))[:horizon], scale)


def shortest(season: int) -> int:
    """Fewest values of a history: below there is no season to compare the last one with."""
    return SEASONS * season + 1
