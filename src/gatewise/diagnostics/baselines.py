"""What a task is worth without recurrence: simple opponents on the same splits as the networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gatewise.artifacts import splits
from gatewise.artifacts.baselines import BaselineReport, BaselineScore
from gatewise.artifacts.prepared import Prepared
from gatewise.config import SPLITS
from gatewise.diagnostics import opponents
from gatewise.diagnostics.opponents.base import Rows
from gatewise.evidence import statistics


def evaluate(
    prepared: Prepared, seeds: Sequence[int], fraction: float, alpha: float, resamples: int
) -> BaselineReport:
    """The opponents' test scores, for `reports/baselines/<task>.json`.

    Where the examples do not change with the seed, neither does an opponent: it is scored once.

    Args:
        prepared: the task.
        seeds: the study's seeds.
        fraction: share of the training split that the networks train on, and so do these.
        alpha: one minus the intervals' level.
        resamples: of the bootstrap.
    """
    used = seeds if prepared.card.resample or fraction < 1 else seeds[:1]
    known = opponents.of(prepared)
    scores, counts = [], []
    for seed in used:
        scores.append(known.score(_rows(prepared, seed, fraction)))
        counts.append(known.counts())
    baselines = {}
    for name, title in known.titles.items():
        values = [score[name] for score in scores]
        brief = statistics.summary(values, alpha, resamples)
        baselines[name] = BaselineScore(
            title=title,
            mean=brief.mean,
            std=brief.std,
            ci=brief.ci,
            values=tuple(values),
            seeds=tuple(used),
            counts=tuple(seen[name] for seen in counts if name in seen),
        )
    return BaselineReport(task=prepared.card.task, metric=prepared.card.metric, baselines=baselines)


def _rows(prepared: Prepared, seed: int, fraction: float) -> Rows:
    """What the networks see of this seed."""
    split = splits.for_seed(prepared, seed)
    rows = {name: np.flatnonzero(split == name) for name in SPLITS}
    labels = prepared.index["label"].to_numpy()
    return {**rows, "train": splits.shrink(rows["train"], labels, fraction, seed)}
