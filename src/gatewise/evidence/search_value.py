"""What a search is worth: the best score to expect of n trials.

Dodge et al. (2019, "Show Your Work") estimate the expected best of n trials from N that were run.
Of the estimators that Dodge et al. (2021, "Expected Validation Performance and Estimation of a
Random Variable's Maximum") compare, the biased one misleads least often where trials are few: the
expectation of the best of n draws, with replacement, from the N.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gatewise.artifacts.tuned import Trial
from gatewise.artifacts.tuning_summary import BudgetPoint
from gatewise.config.metrics import Metric

Floats = npt.NDArray[np.float64]
BAND = (0.1, 0.9)


def expected_best(
    trials: Sequence[Trial], metric: Metric, adaptive: bool = False
) -> tuple[BudgetPoint, ...]:
    """The best score to expect of 1 .. all trials, the declared settings always among them.

    One trial is what a variant gives out of the box; the others stand for any points of the space.
    A pruned point counts with the score of its short training, a diverged one as the worst that
    came to an end, and a skipped one was never there.

    Args:
        trials: of one variant, the declared settings first.
        metric: of their scores.
        adaptive: whether points followed from earlier ones; then they are no draws, and the best
            so far is given as it was found.
    """
    gains = _gains(trials, metric)
    if not len(gains):
        return ()
    if adaptive:
        best = np.maximum.accumulate(gains)
        return tuple(_point(n, best[n - 1], (best[n - 1],) * 2, metric) for n in _upto(gains))
    found = np.sort(np.maximum(gains[1:], gains[0]))
    points = [_point(1, gains[0], (gains[0],) * 2, metric)]
    for n in range(2, len(gains) + 1):
        below = (np.arange(len(found) + 1) / len(found)) ** (n - 1)
        ends = [found[np.searchsorted(below[1:], share)] for share in BAND]
        points.append(_point(n, float(found @ np.diff(below)), ends, metric))
    return tuple(points)


def _gains(trials: Sequence[Trial], metric: Metric) -> Floats:
    """Scores turned so that higher is better, the declared settings' first; empty without any."""
    known = [trial for trial in trials if trial.status != "skipped"]
    finite = [metric.gain(trial.mean) for trial in known if trial.mean is not None]
    if not finite:
        return np.zeros(0)
    worst = min(finite)
    return np.array([worst if t.mean is None else metric.gain(t.mean) for t in known])


def _upto(gains: Floats) -> range:
    return range(1, len(gains) + 1)


def _point(trials: int, expected: float, ends: Sequence[float], metric: Metric) -> BudgetPoint:
    low, high = (float(metric.gain(end)) for end in ends)
    return BudgetPoint(trials=trials, expected=float(metric.gain(expected)), low=low, high=high)
