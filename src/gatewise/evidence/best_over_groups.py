"""Shortfalls with other test groups in mind: other speakers, other films.

The same simultaneous bounds as in `gatewise.evidence.best`, from resamples of seeds and test
groups together (`gatewise.evidence.bootstrap`) in place of sign flips. Both are few, so the
bootstrap's spread is widened to Student's t with the degrees of freedom of the fewer (Hesterberg
2015, "expanded"). It is approximate where the flips are exact, and stands beside them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gatewise.config.metrics import Metric
from gatewise.evidence import best
from gatewise.evidence.bootstrap import Resampled


def shortfalls(
    scores: Mapping[str, Resampled], metric: Metric, alpha: float, units: int
) -> dict[str, float]:
    """Upper bound of how far the best may lie above each variant, over seeds and test groups.

    Args:
        scores: resampled mean scores of each variant, on shared draws.
        metric: what they are scores of.
        alpha: how often any of the bounds may be wrong.
        units: seeds or test groups, whichever are fewer; at least two.
    """
    from scipy import stats

    if len(scores) < 2:
        return {}
    drawn = np.array([metric.gain(1.0) * resampled.both for resampled in scores.values()])
    drawn = drawn[:, np.isfinite(drawn).all(axis=0)]
    middle = drawn.mean(axis=1)
    wider = float(stats.t.isf(alpha, units - 1) / stats.norm.isf(alpha))
    bounds = middle[:, None] - middle[None, :]
    for b in range(len(drawn)):
        leads = drawn[b] - drawn
        spread = leads.std(axis=1)
        moving = spread > 1e-12
        if moving.any():
            off = bounds[b][moving, None] - leads[moving]
            largest = (off / spread[moving, None]).max(axis=0)
            bounds[b] += wider * float(np.quantile(largest, 1 - alpha)) * spread
    found = best.from_bounds(bounds, middle)
    return dict(zip(scores, found.shortfall.tolist(), strict=True))
