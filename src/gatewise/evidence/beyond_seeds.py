"""What a difference is worth beyond the seeds and the test examples that it was measured with.

Sign flips of seeds bound nothing with three of them, whatever the test set says: the smallest level
of theirs is 1/8. But an opponent whose answers do not change with the seed is weighed against
several runs over thousands of test examples, and these tell much. So the difference is taken to
have two sources of scatter that add up: seeds, and test groups (speakers, films), which all seeds
may share. The first is the variance of the runs' own differences over their number; the second that
of the mean difference when groups are drawn anew with replacement (the pigeonhole bootstrap, Owen
2007). The bound is Student's, with the degrees of freedom of Welch and Satterthwaite (Satterthwaite
1946): where seeds dominate, three of them have two degrees and the bound is wide; where test groups
do, their number counts.

That asks more of the test set than sign flips do, which speak of other seeds on the same examples,
and it assumes what they do not: that mean differences scatter about normally. Scatter of single
examples within runs is counted in both sources, so the level is kept
(`tests/evidence/test_beyond_seeds.py` simulates it).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gatewise.artifacts.baselines import GroupCounts
from gatewise.config.metrics import LABELLED, Metric
from gatewise.evidence import bootstrap
from gatewise.evidence.prediction_counts import PredictionCounts

FEWEST_SEEDS = 2
RESAMPLES = 2_000
_RUNS, _OPPONENT = "runs", "opponent"


@dataclass(frozen=True)
class Lead:
    """How far runs lie above an opponent, in gain: higher is better, whatever the metric."""

    mean: float
    """Over the seeds."""
    error: float
    """Standard error over other seeds and other test groups."""
    freedom: float
    """Its degrees of freedom."""
    groups: int
    """Test groups over all seeds."""

    def upper(self, alpha: float) -> float:
        """One-sided upper bound at 1 - `alpha`."""
        from scipy import stats

        return self.mean + float(stats.t.ppf(1 - alpha, self.freedom)) * self.error


def lead(
    runs: Mapping[int, PredictionCounts],
    opponent: Mapping[int, PredictionCounts],
    metric: Metric,
) -> Lead | None:
    """The lead of `runs` over `opponent`, by seed both, on the same test examples.

    Returns:
        Nothing where it cannot be told: seeds or groups are too few, or examples differ.
    """
    seeds = sorted(runs)
    if len(seeds) < FEWEST_SEEDS or any(seed not in opponent for seed in seeds):
        return None
    if any(not _same(runs[seed], opponent[seed]) for seed in seeds):
        return None
    both = {_RUNS: runs, _OPPONENT: opponent}
    drawn = bootstrap.resample(both, metric, seeds, RESAMPLES)
    groups = len({group for run in runs.values() for group in run.groups})
    if not drawn or groups < bootstrap.FEW_GROUPS:
        return None
    differences = np.array(
        [metric.gain(_score(runs[seed], metric) - _score(opponent[seed], metric)) for seed in seeds]
    )
    by_seeds = float(differences.var(ddof=1)) / len(seeds)
    by_groups = float(np.nanvar((drawn[_RUNS] - drawn[_OPPONENT]).groups))
    total = by_seeds + by_groups
    below = by_seeds**2 / (len(seeds) - 1) + by_groups**2 / (groups - 1)
    freedom = total**2 / below if below > 0 else math.inf
    return Lead(float(differences.mean()), math.sqrt(total), freedom, groups)


def counted(found: GroupCounts, like: PredictionCounts) -> PredictionCounts:
    """Counts of an opponent as those of a run are, `like` which has as many rows."""
    names = tuple(sorted(found))
    classes = 1 + max((column for own in found.values() for _, column, _ in own), default=0)
    counts = np.zeros((len(names), like.counts.shape[1], classes))
    for place, name in enumerate(names):
        for row, column, value in found[name]:
            counts[place, row, column] = value
    return PredictionCounts(names, counts, None, like.test_set, like.examples)


def _same(run: PredictionCounts, opponent: PredictionCounts) -> bool:
    """Whether both were counted over as many examples of each label in the same groups."""
    if run.groups != opponent.groups or run.counts.shape[1] != opponent.counts.shape[1]:
        return False
    return bool((run.counts[:, LABELLED].sum(-1) == opponent.counts[:, LABELLED].sum(-1)).all())


def _score(run: PredictionCounts, metric: Metric) -> float:
    return float(metric.from_counts(run.counts.sum(axis=0)))
