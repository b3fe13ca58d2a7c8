"""How a candidate differs from its reference on the same test examples, and how sure that is.

Two things would make the difference come out otherwise: other seeds and other test groups.
Both are resampled in pairs (candidate and reference meet the same draws), each by itself, and
the two variances are added. Few seeds or few groups know their own spread badly, so bounds use
Student's t with Welch-Satterthwaite degrees of freedom instead of the bootstrap's own
quantiles, which are too narrow there (the simulations in
`tests/delivery/gate/test_calibration.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from gatewise.artifacts.judged import Judged
from gatewise.config.metrics import Metric
from gatewise.evidence import bootstrap

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
FEWEST_GROUPS = 5
"""Fewer groups cannot speak for others: then examples are resampled instead."""
MOST_UNITS = 1_000
"""Examples without groups are resampled in at most so many blocks."""


@dataclass(frozen=True)
class PairedSeed:
    """Predictions of candidate and reference for the same test examples, one seed."""

    seed: int
    ids: npt.NDArray[np.object_]
    groups: npt.NDArray[np.object_]
    label: Ints
    """Class of each example; 0 where there are none."""
    candidate: Judged
    reference: Judged
    length: Ints
    """Steps of each sequence."""
    known: npt.NDArray[np.bool_]
    """Whether the reference was tested on the example when it was made."""

    def where(self, mask: npt.NDArray[np.bool_]) -> PairedSeed:
        """The examples that `mask` chooses."""
        return PairedSeed(
            self.seed,
            self.ids[mask],
            self.groups[mask],
            self.label[mask],
            self.candidate.where(mask),
            self.reference.where(mask),
            self.length[mask],
            self.known[mask],
        )


@dataclass(frozen=True)
class Difference:
    """Candidate minus reference, in the metric's own value."""

    value: float
    candidate: float
    """Mean score of the candidate over seeds."""
    reference: float
    se_seeds: float
    """Standard error from the seeds."""
    se_units: float
    """Standard error from the test groups (or examples, where there are no groups)."""
    degrees: float
    """Degrees of freedom of the whole."""
    seeds: int
    units: int
    spread: float
    """Standard deviation of the seeds' differences."""
    lasting: float = 1.0
    """Share of the units' variance that more seeds would not average out."""

    @property
    def se(self) -> float:
        """Standard error of the difference."""
        return math.hypot(self.se_seeds, self.se_units)

    def gain(self, metric: Metric) -> Difference:
        """The same, turned so that above zero is better."""
        return replace(self, value=metric.gain(self.value))

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Lower and upper bound, each missed with probability `alpha`."""
        from scipy import stats

        half = float(stats.t.isf(alpha, self.degrees)) * self.se if self.se > 0 else 0.0
        return self.value - half, self.value + half

    def p_below(self, limit: float = 0.0) -> float:
        """P-value of the claim that the true difference is below `limit`."""
        return self._tail(limit - self.value)

    def p_above(self, limit: float = 0.0) -> float:
        """P-value of the claim that the true difference is above `limit`."""
        return self._tail(self.value - limit)

    def _tail(self, distance: float) -> float:
        from scipy import stats

        if self.se == 0:
            return 0.0 if distance > 0 else 1.0
        return float(stats.t.sf(distance / self.se, self.degrees))


def difference(pairs: Sequence[PairedSeed], metric: Metric, resamples: int) -> Difference | None:
    """The difference between paired predictions, and its uncertainty.

    Args:
        pairs: one entry a seed; those without examples are left out.
        metric: what to score by.
        resamples: bootstrap resamples of groups.

    Returns:
        `None` where nothing can be said: no example, or a single one.
    """
    used = [pair for pair in pairs if len(pair.label)]
    if not used or sum(len(pair.label) for pair in used) < 2:
        return None
    names, units = _units(used)
    if len(names) < 2:
        return None
    draws = bootstrap.Draws.make(len(used), len(names), resamples)
    a = _score(_counts(used, "candidate", units, len(names)), metric, draws)
    b = _score(_counts(used, "reference", units, len(names)), metric, draws)
    n, m = len(used), len(names)
    # A bootstrap of n draws sees (n - 1) / n of the variance.
    var_seeds = float(np.nanvar(a.of_seeds - b.of_seeds)) * n / (n - 1) if n > 1 else 0.0
    var_units = float(np.nanvar(a.of_units - b.of_units)) * m / (m - 1)
    by_seed = a.by_seed - b.by_seed
    return Difference(
        value=float(np.mean(by_seed)),
        candidate=float(np.mean(a.by_seed)),
        reference=float(np.mean(b.by_seed)),
        se_seeds=math.sqrt(var_seeds),
        se_units=math.sqrt(var_units),
        degrees=_degrees(var_seeds, n - 1, var_units, m - 1),
        seeds=n,
        units=m,
        spread=float(np.std(by_seed, ddof=1)) if n > 1 else 0.0,
        lasting=_lasting(a.influence - b.influence),
    )


@dataclass(frozen=True)
class _Scores:
    """Scores of one model's runs, as they are and resampled."""

    by_seed: Floats
    """`(seeds,)`."""
    of_seeds: Floats
    """Mean over seeds where seeds are drawn anew, `(resamples,)`."""
    of_units: Floats
    """Mean over seeds where units are drawn anew, `(resamples,)`."""
    influence: Floats
    """How far each unit moves each seed's score, `(seeds, units)`."""


def _score(counts: Floats, metric: Metric, draws: bootstrap.Draws) -> _Scores:
    """Scores from counts `(seeds, units, rows, classes)`."""
    if not metric.by_class:
        counts = counts.sum(axis=-1, keepdims=True)
    whole = counts.sum(axis=1)
    by_seed = metric.from_counts(whole)
    without = metric.from_counts(whole[:, None] - counts)
    _, of_seeds, of_units = bootstrap.resampled(counts, draws, metric)
    # Without its only unit a seed has no score, so nothing can be said of that unit's influence.
    return _Scores(by_seed, of_seeds, of_units, np.nan_to_num(by_seed[:, None] - without))


def _counts(
    pairs: Sequence[PairedSeed],
    whose: Literal["candidate", "reference"],
    units: Sequence[Ints],
    number: int,
) -> Floats:
    """Counts of every seed and unit, `(seeds, units, rows, classes)`."""
    runs: list[Judged] = [getattr(pair, whose) for pair in pairs]
    classes = max(run.classes for pair in pairs for run in (pair.candidate, pair.reference))
    return np.stack(
        [run.counts(unit, number, classes) for run, unit in zip(runs, units, strict=True)]
    )


def _lasting(influence: Floats) -> float:
    """How much of the units' variance all seeds surely have in common (less a standard error).

    Args:
        influence: `(seeds, units)`: how far each unit moves each seed's difference.
    """
    n = len(influence)
    if n < 2:
        return 0.0
    centred = influence - influence.mean(axis=1, keepdims=True)
    whole = float((centred.mean(axis=0) ** 2).sum())
    own = float((centred.var(axis=0, ddof=1) / n).sum())
    error = math.sqrt(2 / influence.shape[1])  # of a variance estimated from so many units
    return max(0.0, 1 - own / whole - error) if whole > 0 else 0.0


def _degrees(var_a: float, of_a: int, var_b: float, of_b: int) -> float:
    """Welch-Satterthwaite degrees of freedom of a sum of two estimated variances."""
    below = (var_a**2 / of_a if of_a else 0.0) + var_b**2 / of_b
    return (var_a + var_b) ** 2 / below if below > 0 else float(max(of_a, 1))


def _units(pairs: Sequence[PairedSeed]) -> tuple[list[str], list[Ints]]:
    """What is resampled: groups, or examples where groups are few; and each example's unit."""
    labels = [pair.groups for pair in pairs]
    names = sorted({name for label in labels for name in label})
    if len(names) < FEWEST_GROUPS:
        labels = [pair.ids for pair in pairs]
        names = sorted({name for label in labels for name in label})
    place = {name: i % MOST_UNITS for i, name in enumerate(names)}
    units = [np.array([place[name] for name in label], dtype=np.int64) for label in labels]
    return names[:MOST_UNITS], units
