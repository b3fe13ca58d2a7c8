"""What a search is worth: the best score to expect of n trials.

Dodge et al. (2019, "Show Your Work") estimate the expected best of n trials from N that were run.
Of the estimators that Dodge et al. (2021, "Expected Validation Performance and Estimation of a
Random Variable's Maximum") compare, the biased one has the smaller error and misleads least often
where trials are few: the expectation of the best of n draws, with replacement, from the N. It is
the one here; near n = N it lies a little on the cautious side.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import numpy as np
import numpy.typing as npt

from gatewise.artifacts.tuned import Choice, Trial
from gatewise.artifacts.tuning_summary import BudgetPoint
from gatewise.config.metrics import Metric

Floats = npt.NDArray[np.float64]
BAND = (0.1, 0.9)


def budget_curve(
    choices: Sequence[Choice], metric: Metric, adaptive: bool = False
) -> tuple[BudgetPoint, ...]:
    """`expected_best` of a variant's choices: of several, the mean of their curves."""
    curves = [expected_best(choice.trials, metric, adaptive) for choice in choices]
    return tuple(
        BudgetPoint(
            trials=n,
            expected=fmean(point.expected for point in points),
            low=fmean(point.low for point in points),
            high=fmean(point.high for point in points),
        )
        for n, points in enumerate(zip(*curves, strict=False), start=1)
    )


def expected_best(
    trials: Sequence[Trial], metric: Metric, adaptive: bool = False
) -> tuple[BudgetPoint, ...]:
    """The best score to expect of 1 .. all trials, the declared settings always among them.

    One trial is what a variant gives out of the box; the others stand for any points of the space.
    A pruned point is never chosen, so it counts as no better than the worst that came to an end; a
    diverged one counts as the worst of all, and a skipped one was never there.

    Args:
        trials: of one choice, the declared settings first.
        metric: of their scores.
        adaptive: whether points followed from earlier ones; then they are no draws, and the best
            so far is given as it was found.
    """
    gains = _gains(trials, metric)
    if not len(gains):
        return ()
    if adaptive:
        best = np.maximum.accumulate(gains)
        return tuple(_point(n, value, (value, value), metric) for n, value in enumerate(best, 1))
    found = np.sort(np.maximum(gains[1:], gains[0]))
    points = [_point(1, gains[0], (gains[0], gains[0]), metric)]
    for n in range(2, len(gains) + 1):
        # Chances that the best of n - 1 draws is no better than the k-th, k = 0 .. all.
        below = (np.arange(len(found) + 1) / len(found)) ** (n - 1)
        ends = [found[np.searchsorted(below[1:], share)] for share in BAND]
        points.append(_point(n, float(found @ np.diff(below)), ends, metric))
    return tuple(points)


def _gains(trials: Sequence[Trial], metric: Metric) -> Floats:
    """Scores turned so that higher is better, the declared settings' first; empty without any."""
    known = [trial for trial in trials if trial.status != "skipped"]
    ended = [metric.gain(t.mean) for t in known if t.status == "complete" and t.mean is not None]
    if not ended:
        return np.zeros(0)
    last = min(ended)
    gains = [
        None
        if trial.mean is None
        else min(metric.gain(trial.mean), last)
        if trial.status == "pruned"
        else metric.gain(trial.mean)
        for trial in known
    ]
    worst = min(gain for gain in gains if gain is not None)
    return np.array([worst if gain is None else gain for gain in gains])


def _point(trials: int, expected: float, ends: Sequence[float], metric: Metric) -> BudgetPoint:
    low, high = (float(metric.gain(end)) for end in ends)
    return BudgetPoint(trials=trials, expected=float(metric.gain(expected)), low=low, high=high)
