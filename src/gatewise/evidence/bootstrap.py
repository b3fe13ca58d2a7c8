"""The test set's own sampling noise: how far other speakers or films would move a score.

Seeds tell how a score varies with initialisation, order and split; they say nothing about
the test examples, which all seeds may share. Resampling seeds and test groups together,
each with replacement (the pigeonhole bootstrap, Owen 2007), tells how a score would vary
with both. Groups, not examples, are drawn: examples of one speaker rise and fall together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.config.metrics import METRICS, Metric
from gatewise.evidence.prediction_counts import Outcome

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
class Noise:
    """Where a score, or a difference, comes from."""

    ci: tuple[float, float]
    """Interval over seeds and test groups."""
    se_seeds: float
    """Standard error from the seeds alone."""
    se_groups: float
    """Standard error from the test groups alone."""
    groups: int
    """Test groups over all seeds."""


def analyse(
    outcomes: Mapping[str, Mapping[int, Outcome]],
    pairs: Sequence[tuple[str, str]],
    metric: str,
    level: float,
    resamples: int = 2_000,
) -> tuple[dict[str, Noise], dict[tuple[str, str], Noise]]:
    """Noise of each variant's score and of each pair's difference, on one task.

    Args:
        outcomes: by variant and seed; only seeds that all variants have are used.
        pairs: which differences to look at.
        metric: `accuracy` or `macro_f1`.
        level: 1 - coverage of the intervals.
        resamples: bootstrap resamples.

    Returns:
        Both empty with fewer than two such seeds or fewer than two test groups.
    """
    everyone = [set(of_seed) for of_seed in outcomes.values()]
    seeds = sorted(set.intersection(*everyone)) if everyone else []
    used = [[of_seed[seed] for seed in seeds] for of_seed in outcomes.values()]
    names = sorted({name for row in used for outcome in row for name in outcome.groups})
    if len(seeds) < 2 or len(names) < 2:
        return {}, {}
    classes = max(outcome.counts.shape[2] for row in used for outcome in row)
    draws = Draws.make(len(seeds), len(names), resamples)
    found = {}
    for variant, row in zip(outcomes, used, strict=True):
        stacked = stack(row, names, classes)
        if not METRICS[metric].by_class:
            stacked = stacked.sum(axis=-1, keepdims=True)
        found[variant] = resampled(stacked, draws, METRICS[metric])
    return (
        {v: noise(drawn, len(names), level) for v, drawn in found.items()},
        {
            (a, b): noise(
                [x - y for x, y in zip(found[a], found[b], strict=True)], len(names), level
            )
            for a, b in pairs
        },
    )


def stack(outcomes: Sequence[Outcome], names: Sequence[str], classes: int) -> Floats:
    """Counts of several seeds side by side: `(seeds, groups, 3, classes)`, absent groups zero."""
    place = {name: i for i, name in enumerate(names)}
    stacked = np.zeros((len(outcomes), len(names), 3, classes))
    for seed, outcome in enumerate(outcomes):
        rows = [place[name] for name in outcome.groups]
        stacked[seed, rows, :, : outcome.counts.shape[2]] = outcome.counts
    return stacked


def scores(counts: Floats, metric: str) -> Floats:
    """Accuracy or macro-F1 from counts `(..., 3, classes)`; NaN where nothing was drawn.

    As in scikit-learn, macro-F1 averages over classes that occur as label or prediction.
    """
    right, predicted, labels = counts[..., 0, :], counts[..., 1, :], counts[..., 2, :]
    if metric == "accuracy":
        return _ratio(right.sum(-1), labels.sum(-1))
    f1 = _ratio(2 * right, predicted + labels)
    present = (predicted + labels) > 0
    return _ratio(np.where(present, f1, 0.0).sum(-1), present.sum(-1))


def resampled(stacked: Floats, draws: Draws, metric: Metric) -> tuple[Floats, Floats, Floats]:
    """Mean scores over resamples of both, of seeds alone and of groups alone."""
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


def noise(drawn: Sequence[Floats], groups: int, level: float) -> Noise:
    """Summarise resampled scores or differences, as `resampled` gives them."""
    both, of_seeds, of_groups = drawn
    low, high = np.nanquantile(both, [level / 2, 1 - level / 2])
    return Noise(
        (float(low), float(high)),
        float(np.nanstd(of_seeds)),
        float(np.nanstd(of_groups)),
        groups,
    )


def _mean(values: Floats, weights: Floats) -> Floats:
    """Weighted mean over seeds, leaving out those whose groups were not drawn at all."""
    known = np.isfinite(values)
    return _ratio((np.where(known, values, 0.0) * weights).sum(-1), (known * weights).sum(-1))


def _ratio(above: Floats, below: Floats) -> Floats:
    ratio: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return ratio
