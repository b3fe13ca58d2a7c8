"""The test set's own sampling noise: how far other speakers or films would move a score.

Seeds tell how a score varies with initialisation, order and split; they say nothing about
the test examples, which all seeds may share. Resampling seeds and test groups together,
each with replacement (the pigeonhole bootstrap, Owen 2007), tells how a score would vary
with both. Groups, not examples, are drawn: examples of one speaker rise and fall together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gatewise.artifacts.comparison import Noise
from gatewise.config.metrics import Metric
from gatewise.evidence.prediction_counts import PredictionCounts

Floats = npt.NDArray[np.float64]
FEW_GROUPS = 10
"""Below this many groups the noise of the test set is itself poorly known."""


@dataclass(frozen=True)
class Draws:
    """Bootstrap weights of seeds and groups, shared by all variants of a task.

    Shared weights keep pairs paired: both variants meet the same drawn seeds and groups.
    """

    seeds: Floats
    """`(resamples, seeds)`: how often each was drawn."""
    groups: Floats
    """`(resamples, groups)`."""

    @classmethod
    def make(cls, seeds: int, groups: int, resamples: int) -> Draws:
        """Draw with a fixed generator: the same study gives the same interval."""
        rng = np.random.default_rng(0)
        return cls(
            rng.multinomial(seeds, [1 / seeds] * seeds, size=resamples).astype(float),
            rng.multinomial(groups, [1 / groups] * groups, size=resamples).astype(float),
        )


@dataclass(frozen=True)
class Analysis:
    """The noise of one task's scores; empty where too little was there to resample."""

    groups: int | None = None
    """Test groups over all seeds."""
    variants: Mapping[str, Noise] = field(default_factory=dict)
    """Of each variant's score."""
    pairs: Mapping[tuple[str, str], Noise] = field(default_factory=dict)
    """Of each pair's difference."""


@dataclass(frozen=True)
class Resampled:
    """Mean scores of one variant, or their differences, each array `(resamples,)`."""

    both: Floats
    """Seeds and groups drawn anew."""
    seeds: Floats
    """Seeds alone."""
    groups: Floats
    """Groups alone."""

    def __sub__(self, other: Resampled) -> Resampled:
        """Differences on the same draws."""
        return Resampled(
            self.both - other.both, self.seeds - other.seeds, self.groups - other.groups
        )

    def noise(self, level: float) -> Noise:
        """In brief; `level` is 1 - coverage of the interval."""
        low, high = np.nanquantile(self.both, [level / 2, 1 - level / 2])
        return Noise(
            ci=(float(low), float(high)),
            se_seeds=float(np.nanstd(self.seeds)),
            se_groups=float(np.nanstd(self.groups)),
        )


def analyse(
    runs: Mapping[str, Mapping[int, PredictionCounts]],
    pairs: Sequence[tuple[str, str]],
    metric: Metric,
    level: float,
    resamples: int = 2_000,
) -> Analysis:
    """Noise of each variant's score and of each pair's difference, on one task.

    Args:
        runs: by variant and seed; a pair rests on the seeds that both have.
        pairs: which differences to look at.
        metric: what to score by.
        level: 1 - coverage of the intervals.
        resamples: bootstrap resamples.

    Returns:
        Nothing of what has fewer than two seeds or fewer than two test groups.
    """
    own = {variant: frozenset(by_seed) for variant, by_seed in runs.items()}
    names = _names(runs)
    shared = {frozenset(seeds) for seeds in own.values()} | {own[a] & own[b] for a, b in pairs}
    variants: dict[str, Noise] = {}
    differences: dict[tuple[str, str], Noise] = {}
    for seeds in shared:
        scores = resample(runs, metric, seeds, resamples)
        variants |= {v: drawn.noise(level) for v, drawn in scores.items() if own[v] == seeds}
        differences |= {
            (a, b): (scores[a] - scores[b]).noise(level)
            for a, b in pairs
            if own[a] & own[b] == seeds and a in scores
        }
    return Analysis(len(names), variants, differences) if variants else Analysis()


def resample(
    runs: Mapping[str, Mapping[int, PredictionCounts]],
    metric: Metric,
    seeds: Collection[int],
    resamples: int = 2_000,
) -> dict[str, Resampled]:
    """Mean scores of the variants that have all of `seeds`, on draws that all of them share.

    Args:
        runs: by variant and seed.
        metric: what to score by.
        seeds: those to use.
        resamples: bootstrap resamples.

    Returns:
        Nothing with fewer than two seeds or fewer than two test groups.
    """
    names = _names(runs)
    if len(seeds) < 2 or len(names) < 2:
        return {}
    used = {
        variant: [by_seed[seed] for seed in sorted(seeds)]
        for variant, by_seed in runs.items()
        if by_seed.keys() >= set(seeds)
    }
    classes = max((run.counts.shape[2] for row in used.values() for run in row), default=1)
    draws = Draws.make(len(seeds), len(names), resamples)
    scores = {}
    for variant, row in used.items():
        stacked = stack(row, names, classes)
        if not metric.by_class:
            stacked = stacked.sum(axis=-1, keepdims=True)
        scores[variant] = Resampled(*resampled(stacked, draws, metric))
    return scores


def _names(runs: Mapping[str, Mapping[int, PredictionCounts]]) -> list[str]:
    """All test groups."""
    return sorted({g for by_seed in runs.values() for run in by_seed.values() for g in run.groups})


def stack(runs: Sequence[PredictionCounts], names: Sequence[str], classes: int) -> Floats:
    """Counts of several seeds: `(seeds, groups, rows, classes)`, absent groups zero."""
    place = {name: i for i, name in enumerate(names)}
    stacked = np.zeros((len(runs), len(names), runs[0].counts.shape[1], classes))
    for seed, run in enumerate(runs):
        rows = [place[name] for name in run.groups]
        stacked[seed, rows, :, : run.counts.shape[2]] = run.counts
    return stacked


def resampled(stacked: Floats, draws: Draws, metric: Metric) -> tuple[Floats, Floats, Floats]:
    """Mean scores over resamples of both, of seeds alone and of groups alone.

    Args:
        stacked: counts `(seeds, groups, rows, classes)`; one class will do for metrics that do not
            count by class.
        draws: how often each seed and group was drawn.
        metric: what to score by.
    """
    seeds, groups, *cells = stacked.shape
    flat = stacked.transpose(1, 0, 2, 3).reshape(groups, -1)
    redrawn = (draws.groups @ flat).reshape(-1, seeds, *cells)
    by_seed = metric.from_counts(redrawn)
    fixed = metric.from_counts(stacked.sum(axis=1))
    return (
        _mean(by_seed, draws.seeds),
        _mean(np.broadcast_to(fixed, by_seed.shape), draws.seeds),
        _mean(by_seed, np.ones_like(draws.seeds)),
    )


def _mean(values: Floats, weights: Floats) -> Floats:
    """Weighted mean over seeds, leaving out those whose groups were not drawn at all."""
    known = np.isfinite(values)
    total, below = (np.where(known, values, 0.0) * weights).sum(-1), (known * weights).sum(-1)
    mean: Floats = np.divide(total, below, out=np.full(total.shape, np.nan), where=below > 0)
    return mean
