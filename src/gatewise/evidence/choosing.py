"""How sure the choice among trials is: would other seeds and validation groups choose alike?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gatewise.config.metrics import Metric
from gatewise.evidence.bootstrap import Draws, resampled, stack
from gatewise.evidence.prediction_counts import PredictionCounts

RESAMPLES = 1_000


def chance_of_another(
    trials: Sequence[Sequence[PredictionCounts]],
    metric: Metric,
    chosen: int,
    resamples: int = RESAMPLES,
) -> float | None:
    """Share of resamples of seeds and validation groups in which another trial does better.

    Args:
        trials: each trial's validation predictions, a run a seed, seeds in the same order.
        metric: what trials are compared by.
        chosen: index into `trials` of the one that was chosen; of equals it stays the choice.
        resamples: how many to draw, both with replacement (the pigeonhole bootstrap, Owen 2007).

    Returns:
        `None` where one seed was judged by one group: there is nothing to draw from.
    """
    names = sorted({name for runs in trials for run in runs for name in run.groups})
    if len(trials[0]) < 2 and len(names) < 2:
        return None
    classes = max(run.counts.shape[2] for runs in trials for run in runs)
    draws = Draws.make(len(trials[0]), len(names), resamples)
    gains = []
    for runs in trials:
        stacked = stack(runs, names, classes)
        if not metric.by_class:
            stacked = stacked.sum(axis=-1, keepdims=True)
        both, _, _ = resampled(stacked, draws, metric)
        gains.append(both if metric.higher_is_better else -both)
    table = np.array(gains)
    others = np.delete(table, chosen, axis=0)
    known = np.isfinite(table).all(axis=0)
    if not len(others) or not known.any():
        return 0.0
    return float((others.max(axis=0) > table[chosen])[known].mean())
