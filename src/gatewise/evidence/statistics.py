"""Statistics over paired seeds: intervals, tests, how many seeds a decision needs.

Everything here is a pure function of arrays. A difference is `a - b` of the two variants'
scores on the same seed (same split, same batch order), so the unit of evidence is the seed.
Arrays of scores are `(seeds,)`; functions that take many comparisons at once say so.

The verdict rule lives in `gatewise.evidence.pairs.decide`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.artifacts.baselines import ScoreSummary

Floats = npt.NDArray[np.float64]

EXACT_LIMIT = 32
"""Seeds up to which all 2^n sign flips are counted; beyond it they are sampled."""
SAMPLED_FLIPS = 99_999


# --- intervals ---------------------------------------------------------------------------


def mean_intervals(
    rows: npt.ArrayLike, confidence: float = 0.95, resamples: int = 10_000
) -> list[tuple[float, float] | None]:
    """BCa bootstrap interval of each row's mean (Efron 1987, as in `scipy.stats.bootstrap`).

    Args:
        rows: `(comparisons, seeds)`, all finite.
        confidence: nominal coverage.
        resamples: bootstrap resamples.

    Returns:
        One `(low, high)` a row; `None` with fewer than two seeds, and the value itself twice
        where all seeds agree (the bootstrap of a constant is that constant).
    """
    from scipy import stats

    values = np.atleast_2d(np.asarray(rows, dtype=float))
    if values.shape[1] < 2:
        return [None] * len(values)
    intervals: list[tuple[float, float] | None] = []
    for row in values:
        low, high = float(row.mean()), float(row.mean())
        if np.ptp(row) > 1e-12:
            # The same generator for each row: an interval does not depend on its neighbours.
            result = stats.bootstrap(
                (row,),
                np.mean,
                confidence_level=confidence,
                n_resamples=resamples,
                method="BCa",
                vectorized=True,
                rng=np.random.default_rng(0),
            )
            low, high = (float(v) for v in result.confidence_interval)
        intervals.append((low, high))
    return intervals


def mean_interval(
    values: npt.ArrayLike, confidence: float = 0.95, resamples: int = 10_000
) -> tuple[float, float] | None:
    """BCa bootstrap interval of the mean of `values` `(seeds,)`; see `mean_intervals`."""
    return mean_intervals(np.asarray(values)[None, :], confidence, resamples)[0]


def median_interval(values: npt.ArrayLike, confidence: float = 0.95) -> tuple[float, float] | None:
    """Exact interval of the median of `values`, between two of them (`scipy.stats.quantile_test`).

    It assumes no distribution. `None` where the values are too few for the confidence.
    """
    from scipy import stats

    test = stats.quantile_test(np.asarray(values, dtype=float), p=0.5)
    low, high = (float(bound) for bound in test.confidence_interval(confidence))
    return None if math.isnan(low) or math.isnan(high) else (low, high)


def summary(values: npt.ArrayLike, alpha: float, resamples: int) -> ScoreSummary:
    """Mean, standard deviation and interval of scores `(seeds,)`.

    Deviation and interval are `None` with fewer than two seeds.
    """
    scores = np.asarray(values, dtype=float)
    return ScoreSummary(
        mean=float(scores.mean()),
        std=float(scores.std(ddof=1)) if len(scores) > 1 else None,
        ci=mean_interval(scores, 1 - alpha, resamples),
    )


# --- tests -------------------------------------------------------------------------------


@dataclass(frozen=True)
class SignFlip:
    """Tail probabilities of a sign-flip test on the mean of paired differences."""

    two_sided: float
    """Differences are symmetric about zero."""
    greater: float
    """Differences are symmetric about zero or lower."""
    less: float
    """Differences are symmetric about zero or higher."""


def sign_flip(differences: npt.ArrayLike) -> SignFlip | None:
    """Exact sign-flip permutation test (Fisher 1935, section 21).

    Under the null hypothesis each paired difference is as likely to carry the other sign, so
    the observed sum is compared with all 2^n sums of flipped differences. They are counted
    by sorting the sums of each half and searching one in the other (Horowitz & Sahni 1974),
    which makes 32 seeds as quick as 16 by enumeration. Ties count as extreme.

    Returns:
        The tail probabilities, or `None` with fewer than two differences: one seed says
        nothing about chance.
    """
    d = np.asarray(differences, dtype=float)
    return _flip(d) if len(d) > 1 else None


def _flip(d: Floats) -> SignFlip:
    n = len(d)
    total, tolerance = float(d.sum()), 1e-9 * float(np.abs(d).sum())
    if n > EXACT_LIMIT:
        signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(SAMPLED_FLIPS, n))
        sums = signs @ d
        greater = (1 + int((sums >= total - tolerance).sum())) / (1 + SAMPLED_FLIPS)
        less = (1 + int((sums <= total + tolerance).sum())) / (1 + SAMPLED_FLIPS)
    else:
        left, right = _signed_sums(d[: n // 2]), _signed_sums(d[n // 2 :])
        at_least = len(right) - np.searchsorted(right, total - left - tolerance, side="left")
        at_most = np.searchsorted(right, total - left + tolerance, side="right")
        greater, less = int(at_least.sum()) / 2**n, int(at_most.sum()) / 2**n
    # The distribution of the sums is symmetric, so both tails are twice the smaller one.
    return SignFlip(min(1.0, 2 * min(greater, less)), greater, less)


def _signed_sums(d: Floats) -> Floats:
    """All 2^n sums of `+-d`, sorted."""
    sums = np.zeros(1)
    for value in d:
        sums = np.concatenate([sums - value, sums + value])
    return np.sort(sums)


def equivalence(differences: npt.ArrayLike, rope: float) -> float | None:
    """Two one-sided tests that the mean difference lies within `+-rope` (Schuirmann 1987).

    Each side is an exact sign-flip test of the shifted differences; the larger p-value counts.

    Returns:
        The p-value, or `None` with fewer than two differences or a region of width zero.
    """
    d = np.asarray(differences, dtype=float)
    if len(d) < 2 or rope <= 0:
        return None
    return max(_flip(d + rope).greater, _flip(d - rope).less)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down correction over the p-values that exist; `None` stays `None`.

    A few lines instead of statsmodels' `multipletests`, which loads slowly; the tests hold the
    two equal.
    """
    order = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    floor = 0.0
    for done, (p, i) in enumerate(order):
        corrected[i] = floor = max(floor, min(1.0, p * (len(order) - done)))
    return corrected


# --- effect ------------------------------------------------------------------------------


def superiority(differences: npt.ArrayLike) -> float | None:
    """Share of differences above zero (Bouthillier et al. 2021); ties count half."""
    d = np.asarray(differences, dtype=float)
    return float((d > 0).mean() + 0.5 * (d == 0).mean()) if len(d) else None


def superiority_interval(
    differences: npt.ArrayLike, confidence: float = 0.95
) -> tuple[float, float] | None:
    """Clopper-Pearson interval of `superiority`; `None` with fewer than two seeds.

    Bouthillier et al. take a percentile bootstrap, which shrinks to a point as soon as all
    seeds agree, however few they are. The exact interval does not.
    """
    from scipy import stats

    d = np.asarray(differences, dtype=float)
    if len(d) < 2:
        return None
    wins = float((d > 0).sum() + 0.5 * (d == 0).sum())
    losses, tail = len(d) - wins, (1 - confidence) / 2
    low = float(stats.beta.ppf(tail, wins, losses + 1)) if wins else 0.0
    high = float(stats.beta.isf(tail, wins + 1, losses)) if losses else 1.0
    return low, high


def effect_size(differences: npt.ArrayLike) -> float | None:
    """Mean difference in standard deviations of the differences, corrected for small samples.

    Cohen's d for paired samples times Hedges' factor 1 - 3 / (4 df - 1); `None` with fewer
    than three seeds, or where all seeds agree.
    """
    d = np.asarray(differences, dtype=float)
    if len(d) < 3 or np.ptp(d) <= 1e-12:
        return None
    return float(d.mean() / d.std(ddof=1) * (1 - 3 / (4 * (len(d) - 1) - 1)))


def almost_stochastic_order(
    a: npt.ArrayLike, b: npt.ArrayLike, alpha: float = 0.05, resamples: int = 1_000
) -> float | None:
    """How far `a` is from dominating `b` at every quantile (Dror, Shlomov & Reichart 2019).

    The violation ratio of del Barrio et al. 2018, equation 8: the part of the squared
    distance between both quantile functions where `b` stands higher, plus the bootstrap's
    one-sided margin at `alpha`.

    Args:
        a: scores `(seeds,)`.
        b: as many scores.
        alpha: level of the one-sided bound.
        resamples: bootstrap resamples.

    Returns:
        The smallest epsilon for which "a dominates b but for epsilon" holds: below 0.5 `a`
        is almost stochastically larger, 0 means at every quantile. `None` with fewer than
        two seeds.
    """
    from scipy import stats

    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    n = len(x)
    if n < 2:
        return None
    rng = np.random.default_rng(0)
    again_x = x[rng.integers(n, size=(resamples, n))]
    again_y = y[rng.integers(n, size=(resamples, n))]
    observed = float(_violation(x[None], y[None])[0])
    spread = float(np.std(_violation(again_x, again_y) - observed))
    return float(np.clip(observed - spread * stats.norm.ppf(alpha), 0.0, 1.0))


def _violation(x: Floats, y: Floats) -> Floats:
    """Violation ratio of each row; 0.5 where both are equal and neither dominates."""
    gap = np.sort(x, axis=1) - np.sort(y, axis=1)
    whole = (gap**2).sum(axis=1)
    violated = (np.minimum(gap, 0.0) ** 2).sum(axis=1)
    ratio: Floats = np.divide(violated, whole, out=np.full(len(gap), 0.5), where=whole > 1e-24)
    return ratio


# --- how many seeds ----------------------------------------------------------------------


def smallest_p(n: int) -> float:
    """Smallest two-sided p-value that an exact sign-flip test over `n` seeds can give."""
    return min(1.0, 2.0 ** (1 - n))


def fewest_seeds(alpha: float) -> int:
    """Fewest paired seeds with which a two-sided sign-flip test can reach `alpha`."""
    return max(2, math.ceil(1 - math.log2(alpha) - 1e-9))


def seeds_for_power(spread: float, effect: float, alpha: float, power: float) -> int | None:
    """Paired seeds with which a pair is decided with probability `power`.

    Enough both to find a true difference of `effect` (two-sided test) and to call true
    equals equivalent within `+-effect` (two one-sided tests), by the paired t-test's power,
    and never fewer than an exact test needs to reach `alpha` at all.

    Args:
        spread: standard deviation of the paired differences.
        effect: smallest difference of interest, in the metric's own unit.
        alpha: level after correction for multiple comparisons.
        power: probability of a decision.

    Returns:
        The number of seeds, or `None` where no number is enough (`effect` is zero).
    """
    if effect <= 0 or not math.isfinite(spread):
        return None
    fewest = fewest_seeds(alpha)
    if spread <= 1e-12:
        return fewest
    difference = _solve(spread / effect, alpha / 2, 1 - power)
    equal = _solve(spread / effect, alpha, (1 - power) / 2)
    return max(fewest, difference, equal)


def _solve(ratio: float, alpha: float, beta: float) -> int:
    """Seeds of a one-sided paired t-test of level `alpha` that misses with probability `beta`.

    Iterates n = (t(alpha) + t(beta))^2 (sd / effect)^2, whose quantiles depend on n.
    """
    from scipy import stats

    z = float(stats.norm.isf(alpha) + stats.norm.isf(beta))
    n = max(2.0, z**2 * ratio**2)
    for _ in range(50):
        t = float(stats.t.isf(alpha, n - 1) + stats.t.isf(beta, n - 1))
        following = max(2.0, t**2 * ratio**2)
        if abs(following - n) < 0.01:
            break
        n = 0.5 * (n + following)
    return math.ceil(n)
