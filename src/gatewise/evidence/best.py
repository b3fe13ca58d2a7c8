"""Which of several variants may be the best, and how far each may lie below it.

Hsu's multiple comparisons with the best (Hsu 1981, 1984), with sign flips in place of normal
errors. For each variant `b`, in case it should be the best, `upper_bounds` gives upper bounds of
`mu_b - mu_j` that hold for all `j` at once. Then

- `b` is a *contender* unless one of its bounds lies below zero, that is, unless some variant is
  shown to be better;
- the *shortfall* of `j` is the largest bound that a contender has on it, and never below zero.

If the bounds of the variant that is truly best hold, it is a contender and its bounds are among
those that the shortfalls are taken over. So a single family of bounds has to hold for all
statements together, and choosing a variant after looking costs nothing.

## The bounds

One pair first. Under a sign-flip test of `mu_b - mu_j = t`, the flips as extreme as the data are
those whose negated seeds have a mean difference of at least `t`. Inverting the test therefore
needs no search: the bound at level `alpha` is the K-th largest of the means over all non-empty
sets of seeds, K = floor(alpha 2^n) (Hartigan 1969, "typical values"). That is exact.

Several `j` share the same flips, which keeps their dependence. The statistic is the largest of
the studentised sums over all `j` (a one-sided max-t): each sum is divided by the root of the sum
of squares of its terms, which no flip changes. For the bound on one `j`, the terms of that `j` are
the differences' deviations from the hypothesis, those of the others their deviations from their
mean. A flip counts up to the largest hypothesis at which its statistic reaches that of the data,
so this inversion needs no search either: the bound is the K-th largest of these. With one `j` it
is the exact one. With more, it is exact but for the others' means, which stand in for what is not
known; simulation shows the level to be kept for skewed, correlated and rounded scores, from five
seeds and for two to ten variants (`tests/evidence/test_best.py`).

Flips assume that differences scatter symmetrically about their mean, jointly over the variants.
Differences of two paired scores of one kind do, whatever the shape of the scores.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

EXACT_LIMIT = 15
"""Seeds up to which all 2^n flips are taken; beyond it a fixed sample of them."""
SAMPLED_FLIPS = 19_999
SLACK = 1e-9
"""Share of a bound that rounding may take."""
TINY = 1e-12


@dataclass(frozen=True)
class Standing:
    """What is known of several variants, each array `(variants,)`."""

    contender: npt.NDArray[np.bool_]
    """Whether it may be the best."""
    shortfall: Floats
    """Upper bound of how far the best may lie above it; infinite where the seeds are too few."""


def fewest_seeds(alpha: float) -> int:
    """Seeds below which sign flips bound nothing at one-sided level `alpha`."""
    return max(2, math.ceil(-math.log2(alpha) - SLACK))


def standing(gains: npt.ArrayLike, alpha: float) -> Standing:
    """Contenders and shortfalls of all variants, simultaneously.

    Args:
        gains: `(seeds, variants)`, paired by seed and turned so that higher is better.
        alpha: how often any statement may be wrong.
    """
    scores = np.asarray(gains, dtype=float)
    return from_bounds(upper_bounds(scores, alpha), scores.mean(axis=0))


def from_bounds(bounds: Floats, means: Floats) -> Standing:
    """Contenders and shortfalls that follow from simultaneous bounds.

    Args:
        bounds: `(variants, variants)`, as `upper_bounds` gives them.
        means: mean gain of each variant, `(variants,)`.
    """
    margin = SLACK * max(1.0, float(np.abs(means).max(initial=0.0)))
    contender: npt.NDArray[np.bool_] = np.all(bounds >= -margin, axis=1)
    others = np.where(np.eye(len(means), dtype=bool), 0.0, bounds)
    shortfall = np.maximum(others[contender].max(axis=0, initial=0.0), 0.0)
    return Standing(contender, shortfall)


def upper_bounds(gains: Floats, alpha: float) -> Floats:
    """Upper bounds `(b, j)` of the lead of `b` over `j`, for each `b` over all `j` at once.

    Infinite off the diagonal where the seeds are too few for the level.

    Args:
        gains: `(seeds, variants)`.
        alpha: one-sided level of each row.
    """
    seeds, variants = gains.shape
    means = gains.mean(axis=0)
    bounds: Floats = means[:, None] - means[None, :]
    rank = _rank(seeds, alpha)
    if rank < 1:
        bounds[~np.eye(variants, dtype=bool)] = np.inf
        return bounds
    sets = _sets(seeds)
    deviations = sets @ (gains - means)
    # A flip's studentised sum over the deviation of its set's mean in standard deviations.
    scale = 2 * np.count_nonzero(sets, axis=1)[:, None] / math.sqrt(seeds - 1)
    for b in range(variants):
        spread = (gains[:, [b]] - gains).std(axis=0, ddof=1)
        moving = spread > TINY
        if moving.any():
            lead = (deviations[:, [b]] - deviations[:, moving]) / spread[moving]
            reach = np.maximum(lead, _as_hypothesis(_largest_other(lead * scale), seeds))
            critical = np.partition(reach, len(reach) - rank, axis=0)[len(reach) - rank]
            bounds[b, moving] += critical * spread[moving]
    return bounds


def _largest_other(sums: Floats) -> Floats:
    """For each column of `(flips, columns)` the largest of all other columns in its row."""
    if sums.shape[1] == 1:
        return np.full_like(sums, -np.inf)
    second, first = np.partition(sums, -2, axis=1)[:, -2:].T
    own: Floats = np.where(sums >= first[:, None], second[:, None], first[:, None])
    return own


def _as_hypothesis(sums: Floats, seeds: int) -> Floats:
    """At which hypothesis, in standard deviations from the mean, the data's sum is as large."""
    positive = np.maximum(sums, 0.0)  # only such flips can count beside an upper bound
    room = np.maximum(seeds - positive**2, TINY)
    reached: Floats = positive * math.sqrt((seeds - 1) / seeds) / np.sqrt(room)
    return reached


def _rank(seeds: int, alpha: float) -> int:
    """Which of the largest set means is the bound; 0 where none is."""
    if seeds < 2:
        return 0
    flips = 2**seeds if seeds <= EXACT_LIMIT else SAMPLED_FLIPS + 1
    return math.floor(alpha * flips + SLACK)


@lru_cache(maxsize=32)
def _sets(seeds: int) -> Floats:
    """Non-empty sets of seeds as the weights of their means, `(sets, seeds)`."""
    if seeds <= EXACT_LIMIT:
        chosen = np.arange(1, 2**seeds)[:, None] >> np.arange(seeds) & 1
    else:
        # A fixed sample beside the identity keeps the level (Phipson & Smyth 2010).
        chosen = np.random.default_rng(0).integers(2, size=(SAMPLED_FLIPS, seeds))
        chosen[chosen.sum(axis=1) == 0, 0] = 1
    weights: Floats = chosen / chosen.sum(axis=1, keepdims=True)
    return weights
