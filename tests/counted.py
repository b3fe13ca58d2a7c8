"""Predictions of classes, counted, without a file that they came from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gatewise.artifacts.objectives.classify import Objective
from gatewise.evidence.prediction_counts import PredictionCounts


def count(
    labels: np.ndarray,
    probabilities: np.ndarray,
    group: np.ndarray,
    names: Sequence[str],
    test_set: str = "",
) -> PredictionCounts:
    """As `prediction_counts.read` would count them; `group` says where in `names`."""
    columns = {"label": np.asarray(labels), "probabilities": probabilities}
    order = np.argsort(np.array(names, dtype=object))
    place = np.argsort(order)[group]
    return PredictionCounts(
        groups=tuple(names[i] for i in order),
        counts=Objective.counts(columns, place, len(names)),
        confusion=Objective.confusion(columns),
        test_set=test_set,
        examples=len(labels),
    )
