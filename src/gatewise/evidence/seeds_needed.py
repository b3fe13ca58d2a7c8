"""How many seeds a pair is expected to take until it is decided, given what is known of it.

Planning a study, one asks for the seeds that find a difference of one ROPE, whatever it turns out
to be (`gatewise.evidence.statistics.seeds_for_power`). Once there are seeds, the pair has shown
a difference and a spread: a large difference needs few more, a small one is soon called
equivalent, one near the edge of the ROPE takes longest. Both estimates are uncertain, and so is
the number; its interval says by how much.

Where results were looked at before, a part of the level is spent: the pair is decided at a look to
come, at the level that the spending leaves for it (`gatewise.evidence.sequential`). Looks that were
planned keep their levels; seeds beyond the last of them are one more look, since raising the cap
spends the level anew over all looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.evidence import sequential, statistics

QUANTILES = 41
"""Values each of difference and spread that the interval looks at."""
MOST = 10**9
"""Stands for any number above it."""
STEPS = 120
"""Numbers of seeds that are tried beyond those at hand, as finely as makes a few per cent."""
KNOTS = (1.1, 1.35, 1.8, 3.0, 8.0, 50.0)
"""Times the seeds of the last look where the level of one more is computed; elsewhere between."""


@dataclass(frozen=True)
class Expected:
    """Seeds in all, those at hand included."""

    seeds: int
    low: int
    high: int
    """Bounds of `seeds` over what the data leave open."""


def expected(
    differences: npt.ArrayLike,
    rope: float,
    alpha: float,
    power: float,
    confidence: float,
    looks: Sequence[int] = (),
) -> Expected | None:
    """Seeds at which a pair is decided with probability `power`, either way.

    Args:
        differences: one a seed.
        rope: region of practical equivalence.
        alpha: level after correction for multiple comparisons.
        power: probability of a decision.
        confidence: coverage of the interval.
        looks: seed counts at which results are looked at, those to come included; none where
            seeds are run at once.

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
    to_come = _looks_to_come(tuple(looks), n, alpha)
    totals = _seeds(means, spreads[:, None], rope, power, to_come)
    tail = (1 - confidence) / 2
    low, high = np.quantile(totals, [tail, 1 - tail], method="nearest")
    point = _seeds(np.array(mean), np.array(spread), rope, power, to_come)
    return Expected(int(point), int(low), int(high))


@dataclass(frozen=True)
class _Looks:
    """Numbers of seeds at which a pair may be decided, rising, with the levels there.

    Each array is `(looks,)`.
    """

    seeds: statistics.Floats
    different: statistics.Floats
    """Two-sided level of the test for a difference."""
    equal: statistics.Floats
    """Level of the test for equivalence."""
    planned: int = 0
    """So many of them come in any case; between the others every number of seeds will do."""


def _looks_to_come(looks: tuple[int, ...], done: int, alpha: float) -> _Looks:
    if not looks:
        anywhere = np.geomspace(1, MOST, 2)
        return _Looks(anywhere, np.full(2, alpha), np.full(2, alpha))
    ahead = [k for k, seeds in enumerate(looks) if seeds > done]
    beyond = np.unique(np.ceil(np.geomspace(max(looks[-1], done) + 1, MOST, STEPS)))

    def levels(one_sided: float) -> statistics.Floats:
        planned = sequential.nominal_levels(looks, one_sided)
        return np.concatenate([[planned[k] for k in ahead], _one_more(looks, one_sided, beyond)])

    seeds = np.concatenate([[float(looks[k]) for k in ahead], beyond])
    return _Looks(seeds, 2 * levels(alpha / 2), levels(alpha), len(ahead))


def _one_more(looks: tuple[int, ...], alpha: float, seeds: statistics.Floats) -> statistics.Floats:
    """One-sided level of a look after all that were planned, at each of `seeds`."""
    at = [max(looks[-1] + 1, round(times * looks[-1])) for times in KNOTS]
    known = [sequential.nominal_levels((*looks, n), alpha)[-1] for n in at]
    left: statistics.Floats = np.interp(np.log(seeds), np.log(at), known)
    return left


def _seeds(
    mean: statistics.Floats,
    spread: statistics.Floats,
    rope: float,
    power: float,
    looks: _Looks,
) -> statistics.Floats:
    """Seeds to find a difference or to call it equivalent, whichever takes fewer."""
    from scipy import stats

    miss = stats.norm.isf(1 - power)
    mean, spread = (x[..., None] for x in np.broadcast_arrays(mean, spread))
    sides, level = stats.norm.isf(looks.different / 2), stats.norm.isf(looks.equal)
    different = _one_test(spread, np.abs(mean), sides, miss)
    # Two one-sided tests have to pass; halving the risk of each is a little cautious.
    equal = _one_test(spread, rope - np.abs(mean), level, stats.norm.isf((1 - power) / 2))
    fewest = [statistics.fewest_seeds(level) for level in looks.different]
    needed = np.ceil(np.clip(np.minimum(different, equal), fewest, MOST))
    enough = needed <= looks.seeds
    enough[..., -1] = True
    first = enough.argmax(axis=-1)
    least = np.where(first > 0, looks.seeds[first - 1] + 1, looks.seeds[0])
    exact = np.take_along_axis(needed, first[..., None], axis=-1)[..., 0]
    whole: statistics.Floats = np.where(
        first < looks.planned, looks.seeds[first], np.maximum(exact, least)
    )
    return whole


def _one_test(
    spread: statistics.Floats, distance: statistics.Floats, level: statistics.Floats, miss: float
) -> statistics.Floats:
    """Seeds of a one-sided t-test, by the normal formula with Guenther's (1981) correction."""
    ratio = np.divide(spread, distance, out=np.full(spread.shape, np.inf), where=distance > 1e-12)
    seeds: statistics.Floats = (level + miss) ** 2 * ratio**2 + level**2 / 2
    return seeds
