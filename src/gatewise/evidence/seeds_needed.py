"""How many seeds a pair is expected to take until it is decided, given what is known of it.

Planning a study, one asks for the seeds that find a difference of one ROPE, whatever it turns out
to be (`gatewise.evidence.statistics.seeds_for_power`). Once there are seeds, the pair has shown
a difference and a spread: a large difference needs few more, a small one is soon called
equivalent, one near the edge of the ROPE takes longest. Both estimates are uncertain, and so is
the number; its interval says by how much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.evidence import statistics

QUANTILES = 41
"""Values each of difference and spread that the interval looks at."""
MOST = 10**9
"""Stands for any number above it."""


@dataclass(frozen=True)
class Expected:
    """Seeds in all, those at hand included."""

    seeds: int
    low: int
    high: int
    """Bounds of `seeds` over what the data leave open."""


def expected(
    differences: npt.ArrayLike, rope: float, alpha: float, power: float, confidence: float
) -> Expected | None:
    """Seeds at which a pair is decided with probability `power`, either way.

    Args:
        differences: one a seed.
        rope: region of practical equivalence.
        alpha: level after correction for multiple comparisons.
        power: probability of a decision.
        confidence: coverage of the interval.

    Returns:
        `None` with fewer than two differences.
    """
    from scipy import stats

    d = np.asarray(differences, dtype=float)
    n = len(d)
    if n < 2:
        return None
    mean, spread = float(d.mean()), float(d.std(ddof=1))
    at = (np.arange(QUANTILES) + 0.5) / QUANTILES
    # Normal differences: the spread's square is chi-squared, and given it the mean is normal.
    spreads = spread * np.sqrt((n - 1) / stats.chi2.ppf(at, n - 1))
    means = mean + spreads[:, None] / np.sqrt(n) * stats.norm.ppf(at)
    totals = _seeds(means, spreads[:, None], rope, alpha, power)
    tail = (1 - confidence) / 2
    low, high = np.quantile(totals, [tail, 1 - tail], method="nearest")
    point = _seeds(np.array(mean), np.array(spread), rope, alpha, power)
    return Expected(int(point), int(low), int(high))


def _seeds(
    mean: statistics.Floats, spread: statistics.Floats, rope: float, alpha: float, power: float
) -> statistics.Floats:
    """Seeds to find a difference or to call it equivalent, whichever takes fewer."""
    from scipy import stats

    level, miss = stats.norm.isf(alpha), stats.norm.isf(1 - power)
    sides = stats.norm.isf(alpha / 2)
    different = _one_test(spread, np.abs(mean), sides, miss)
    # Two one-sided tests have to pass; halving the risk of each is a little cautious.
    equal = _one_test(spread, rope - np.abs(mean), level, stats.norm.isf((1 - power) / 2))
    fewest = statistics.fewest_seeds(alpha)
    whole: statistics.Floats = np.ceil(np.clip(np.minimum(different, equal), fewest, MOST))
    return whole


def _one_test(
    spread: statistics.Floats, distance: statistics.Floats, level: float, miss: float
) -> statistics.Floats:
    """Seeds of a one-sided t-test, by the normal formula with Guenther's (1981) correction."""
    spread, distance = np.broadcast_arrays(spread, distance)
    ratio = np.divide(spread, distance, out=np.full(spread.shape, np.inf), where=distance > 1e-12)
    seeds: statistics.Floats = (level + miss) ** 2 * ratio**2 + level**2 / 2
    return seeds
