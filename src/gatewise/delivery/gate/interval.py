"""How a candidate differs from its reference on the same test examples, and how sure that is.

Two things would make the difference come out otherwise: other seeds and other test groups.
Both are resampled in pairs (candidate and reference meet the same draws), each by itself, and
the two variances are added. Few seeds or few groups know their own spread badly, so bounds use
Student's t with Welch-Satterthwaite degrees of freedom instead of the bootstrap's own
quantiles, which are too narrow there (the simulations in `tests/gate/test_calibration.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.evidence import bootstrap

Ints = npt.NDArray[np.int64]
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
    candidate: Ints
    """Class predicted by the candidate."""
    reference: Ints
    """Class predicted by the reference; -1 for a label that the candidate does not know."""
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
            self.candidate[mask],
            self.reference[mask],
            self.length[mask],
            self.known[mask],
        )


@dataclass(frozen=True)
class Difference:
    """Candidate minus reference, in the metric's own unit."""

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


def difference(pairs: Sequence[PairedSeed], metric: str, resamples: int) -> Difference | None:
    """Weigh paired predictions.

    Args:
        pairs: one entry a seed; those without examples are left out.
        metric: `accuracy` or `macro_f1`.
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
    classes = 1 + max(int(max(p.label.max(), p.candidate.max(), p.reference.max())) for p in used)
    draws = bootstrap.Draws.make(len(used), len(names), resamples)
    scored, rights = [], []
    for side in ("candidate", "reference"):
        stacked = np.stack(
            [
                _counts(pair.label, getattr(pair, side), unit, len(names), classes)
                for pair, unit in zip(used, units, strict=True)
            ]
        )
        rights.append(stacked[:, :, 0].sum(axis=-1) / stacked[:, :, 2].sum(axis=(1, 2))[:, None])
        if metric == "accuracy":
            stacked = stacked.sum(axis=-1, keepdims=True)
        by_seed = bootstrap.scores(stacked.sum(axis=1), metric)
        _, of_seeds, of_units = bootstrap.resampled(stacked, draws, metric)
        scored.append((by_seed, of_seeds, of_units))
    (a, a_seeds, a_units), (b, b_seeds, b_units) = scored
    n, m = len(used), len(names)
    # A bootstrap of n draws sees (n - 1) / n of the variance.
    var_seeds = float(np.nanvar(a_seeds - b_seeds)) * n / (n - 1) if n > 1 else 0.0
    var_units = float(np.nanvar(a_units - b_units)) * m / (m - 1)
    return Difference(
        value=float(np.mean(a - b)),
        candidate=float(np.mean(a)),
        reference=float(np.mean(b)),
        se_seeds=math.sqrt(var_seeds),
        se_units=math.sqrt(var_units),
        degrees=_degrees(var_seeds, n - 1, var_units, m - 1),
        seeds=n,
        units=m,
        spread=float(np.std(a - b, ddof=1)) if n > 1 else 0.0,
        lasting=_lasting(rights[0] - rights[1]),
    )


def _lasting(shares: bootstrap.Floats) -> float:
    """How much of the units' variance all seeds surely have in common (less a standard error).

    Args:
        shares: `(seeds, units)`: what each unit adds to each seed's difference in accuracy.
    """
    n = len(shares)
    if n < 2:
        return 0.0
    centred = shares - shares.mean(axis=1, keepdims=True)
    whole = float((centred.mean(axis=0) ** 2).sum())
    own = float((centred.var(axis=0, ddof=1) / n).sum())
    error = math.sqrt(2 / shares.shape[1])  # of a variance estimated from so many units
    return max(0.0, 1 - own / whole - error) if whole > 0 else 0.0


def _degrees(var_a: float, of_a: int, var_b: float, of_b: int) -> float:
    """Welch-Satterthwaite degrees of freedom of a sum of two estimated variances."""
    below = (var_a**2 / of_a if of_a else 0.0) + var_b**2 / of_b
    return (var_a + var_b) ** 2 / below if below > 0 else float(max(of_a, 1))


def _units(pairs: Sequence[PairedSeed]) -> tuple[list[str], list[Ints]]:
    """What is resampled: groups, or examples where groups are few."""
    labels = [pair.groups for pair in pairs]
    names = sorted({name for label in labels for name in label})
    if len(names) < FEWEST_GROUPS:
        labels = [pair.ids for pair in pairs]
        names = sorted({name for label in labels for name in label})
    place = {name: i % MOST_UNITS for i, name in enumerate(names)}
    found = [np.array([place[name] for name in label], dtype=np.int64) for label in labels]
    return names[:MOST_UNITS], found


def _counts(label: Ints, predicted: Ints, unit: Ints, units: int, classes: int) -> bootstrap.Floats:
    """`(units, 3, classes)`: right predictions, predictions and labels of each class."""

    def count(values: Ints, where: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        flat = unit[where] * classes + values[where]
        return np.bincount(flat, minlength=units * classes).reshape(units, classes)

    everywhere = np.ones(len(label), dtype=bool)
    parts = [
        count(label, label == predicted),
        count(predicted, predicted >= 0),
        count(label, everywhere),
    ]
    return np.stack(parts, axis=1).astype(float)
