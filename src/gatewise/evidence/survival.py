"""Updates until something is learnt, where some runs never learn it: censored times.

Kaplan-Meier and its intervals are SciPy's. With a handful of runs the log-rank test's usual
approximation is poor, so its statistic is permuted exactly: every way of dealing the runs to the
two sides is counted.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gatewise.artifacts.document import Interval

EXACT = 50_000
"""Ways of dealing above which a fixed sample of them is counted."""


@dataclass(frozen=True)
class Times:
    """Updates of several runs: until solved, or until they ended unsolved."""

    updates: tuple[int, ...]
    solved: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.updates)


@dataclass(frozen=True)
class Median:
    """Kaplan-Meier's median with its interval; `None` lies beyond what was watched."""

    median: float | None
    low: float | None
    high: float | None


def median(times: Times, level: float = 0.95) -> Median:
    """Updates after which half of the runs have solved it.

    The interval is Brookmeyer and Crowley's (1982): where the band about the curve (log-log)
    passes one half.

    Raises:
        ValueError: there is no run.
    """
    from scipy import stats

    if not times.updates:
        raise ValueError("no run to take a median of")
    if not any(times.solved):
        return Median(None, None, None)
    solved = [t for t, done in zip(times.updates, times.solved, strict=True) if done]
    open_ended = [t for t, done in zip(times.updates, times.solved, strict=True) if not done]
    curve = stats.ecdf(stats.CensoredData(uncensored=solved, right=open_ended)).sf
    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # undefined where the curve is 1 or 0
        band = curve.confidence_interval(level, method="log-log")

    def passes(values: np.ndarray) -> float | None:
        below = np.flatnonzero(np.nan_to_num(values, nan=1.0) <= 0.5 + 1e-12)
        return float(curve.quantiles[below[0]]) if len(below) else None

    # Where all that were left have solved it the band has no width to compute: it ends there.
    upper = np.where(curve.probabilities <= 0, 0.0, band.high.probabilities)
    lower = np.where(curve.probabilities <= 0, 0.0, band.low.probabilities)
    if len(times) < 2:
        return Median(passes(curve.probabilities), None, None)
    return Median(passes(curve.probabilities), passes(lower), passes(upper))


def log_rank(a: Times, b: Times) -> float | None:
    """Two-sided p-value that `a` and `b` take equally long, by permuting the log-rank statistic.

    Returns:
        The p-value, or `None` where nobody solved it or a side has no run: nothing follows.
    """
    if not len(a) or not len(b) or not any((*a.solved, *b.solved)):
        return None
    scores = log_rank_scores(a.updates + b.updates, a.solved + b.solved)
    return permuted(scores[: len(a)], scores[len(a) :])


def log_rank_scores(updates: Sequence[int], solved: Sequence[bool]) -> list[float]:
    """What each run adds to the log-rank statistic of its side.

    One if it was solved, less the hazard that it was exposed to until then (Nelson-Aalen over all
    runs): sums over a side are observed less expected, so the higher the sooner.
    """
    times, done = np.asarray(updates, dtype=float), np.asarray(solved, dtype=bool)
    events = np.unique(times[done])
    at_risk = np.array([(times >= t).sum() for t in events])
    hazards = np.array([(done & (times == t)).sum() for t in events]) / at_risk
    exposed = np.array([hazards[events <= t].sum() for t in times])
    return [float(value) for value in done - exposed]


def permuted(a: Sequence[float], b: Sequence[float]) -> float:
    """Two-sided exact permutation p-value for a difference in the means of `a` and `b`.

    With very many ways of dealing, the share among `EXACT` of them, drawn from a fixed seed.
    """
    values = np.array([*a, *b], dtype=float)
    centred = values - values.mean()
    seen = abs(centred[: len(a)].sum())
    if math.comb(len(values), len(a)) <= EXACT:
        chosen = np.array(list(combinations(range(len(values)), len(a))))
        sums = np.abs(centred[chosen].sum(axis=1))
        return float((sums >= seen - 1e-9).mean())
    rng = np.random.default_rng(0)
    dealt = rng.permuted(np.tile(centred, (EXACT, 1)), axis=1)[:, : len(a)]
    return float((1 + (np.abs(dealt.sum(axis=1)) >= seen - 1e-9).sum()) / (1 + EXACT))


def shift_interval(a: Sequence[float], b: Sequence[float], level: float) -> Interval | None:
    """Interval of how far `a` lies above `b`, whatever their distribution.

    Moses' interval (Hollander, Wolfe & Chicken 2014, section 4.3), that goes with the rank sum test
    and with Hodges & Lehmann's estimate (1963): the k-th smallest and the k-th largest of all
    differences, k as large as the exact distribution of the rank sum allows. Ties make it wider.

    Returns:
        `None` where so few values bound nothing at that level.
    """
    ways = _rank_sums(len(a), len(b))
    allowed = (1 - level) / 2 * sum(ways)
    k, below = 0, 0
    while k < len(ways) and below + ways[k] <= allowed:
        below += ways[k]
        k += 1
    if not k:
        return None
    differences = sorted(x - y for x in a for y in b)
    return differences[k - 1], differences[-k]


def _rank_sums(n: int, m: int) -> list[int]:
    """Ways of dealing `n + m` ranks to two sides, by the pairs in which the first is ahead."""
    ways = [[0] * (n * m + 1) for _ in range(n + 1)]
    ways[0][0] = 1
    for rank in range(n + m):
        for taken in range(min(rank, n - 1), -1, -1):
            ahead = rank - taken  # of the other side's ranks so far
            for pairs in range(n * m - ahead, -1, -1):
                if ahead <= m:
                    ways[taken + 1][pairs + ahead] += ways[taken][pairs]
    return ways[n]
