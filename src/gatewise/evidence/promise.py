"""Before training: what a study can tell with its seeds and its test sets.

Two things limit what can be told. Differences between two variants scatter over seeds, and more
seeds average that out. And where all seeds share one test set, its examples are the same each time,
which no number of seeds averages out.

How much differences scatter is unknown before there are runs. Known is how much they do at least:
two variants, exactly one of which is right on a share `q` of the test examples, differ on `m`
examples by a standard deviation of the square root of `q / m`, by the luck of the examples alone.
So a promise without runs is the most that can be hoped for, and the outcome stands beside it later.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, median

from gatewise.artifacts.promise import Outcome, Promise
from gatewise.config import CompareConfig
from gatewise.evidence import statistics

DISAGREEMENT = 0.05
"""Share of test examples on which exactly one of two good variants is right, before it is known."""
MORE = 4
"""Times the test examples that the promise looks at beside those there are."""


def make(
    settings: CompareConfig,
    tests: int,
    seeds: int,
    examples: int | None,
    *,
    shared: bool,
    spread: float | None = None,
) -> Promise:
    """What so many seeds and test examples can tell.

    Args:
        settings: level and power.
        tests: primary pairs that share the level.
        seeds: of each pair.
        examples: test examples of a run, if the metric is a share of them and they are known.
        shared: whether all seeds test on the same ones.
        spread: standard deviation of paired differences, if it was seen in runs before.
    """
    level = settings.alpha / max(tests, 1)
    spreads = detectable(seeds, level, settings.power)
    chance = None if examples is None else math.sqrt(DISAGREEMENT / examples)
    known = chance if spread is None else spread
    limit = None if chance is None or not shared else _quantile(settings.alpha) * chance
    smallest = None if spreads is None or known is None else spreads * known
    return Promise(
        seeds=seeds,
        fewest_seeds=statistics.fewest_seeds(level),
        spreads=spreads,
        examples=examples,
        spread=known,
        measured=spread is not None,
        smallest=smallest,
        limit=limit,
        limit_of_more=None if limit is None else limit / math.sqrt(MORE),
    )


def detectable(seeds: int, alpha: float, power: float) -> float | None:
    """Smallest true difference that a two-sided paired test finds, in standard deviations.

    The t-test's, by the normal formula with Guenther's (1981) correction, so that planning a study
    need not load scipy. `None` where the exact test, which is the one that decides, finds none.
    """
    if seeds < statistics.fewest_seeds(alpha):
        return None
    level = _quantile(alpha)
    return (level + NormalDist().inv_cdf(power)) / math.sqrt(seeds - level**2 / 2)


def outcome(
    settings: CompareConfig, tests: int, spreads: Sequence[float], seeds: int
) -> Outcome | None:
    """What can be told given the spreads of the pairs; `None` where there are none.

    Args:
        settings: level and power.
        tests: primary pairs that share the level.
        spreads: standard deviations of the pairs' differences.
        seeds: that were run.
    """
    if not spreads:
        return None
    spread = float(median(spreads))
    ratio = detectable(seeds, settings.alpha / max(tests, 1), settings.power)
    return Outcome(spread=spread, smallest=None if ratio is None else ratio * spread, seeds=seeds)


def _quantile(alpha: float) -> float:
    return NormalDist().inv_cdf(1 - alpha / 2)
