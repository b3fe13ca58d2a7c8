"""Which of several settings matter, by Optuna's PED-ANOVA (Watanabe et al. 2023)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from gatewise.artifacts.tuned import Trial
from gatewise.config.metrics import Metric
from gatewise.config.tuning import Range, Space, Value, integral

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

BEST = 0.25
"""Share of points that count as good. With few trials Optuna's tenth is one or two of them."""
POINTS_A_SETTING = 5
"""Different points below which importance would be a guess: with fewer, simulated studies of two
and three settings name the wrong one first in more than one of ten."""
FEWEST_GOOD = 5
"""Good points that Optuna wants at least."""

Point = tuple[dict[str, Value], float]
"""Settings, and how much better than its variant's mean they are."""


def importance(
    space: Space, variants: Sequence[Sequence[Trial]], metric: Metric
) -> dict[str, float]:
    """Share of each setting, largest first; empty with one setting, or too few trials.

    Points of all variants count together, each by how much better than its own variant's mean it
    is, so that what is better about a variant is not taken for a setting's doing. A point that was
    pruned or diverged is known to be none of the good ones, which is all that is asked of it.

    Args:
        space: what was tried.
        variants: the trials of each.
        metric: of their scores.
    """
    points = [point for trials in variants for point in _above_mean(space, trials, metric)]
    different = {tuple(settings[name] for name in space) for settings, _ in points}
    if (
        len(space) < 2
        or len(different) < POINTS_A_SETTING * len(space)
        or len(points) * BEST < FEWEST_GOOD
        or len({gain for _, gain in points}) < 2
    ):
        return {}
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    distributions = {name: _distribution(space, name, points) for name in space}
    study = optuna.create_study(direction="maximize")
    study.add_trials(
        [
            optuna.trial.create_trial(params=settings, distributions=distributions, value=gain)
            for settings, gain in points
        ]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of interfaces that Optuna calls experimental
        evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=BEST)
        shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: float(share) for name, share in sorted(shares.items(), key=lambda s: -s[1])}


def _above_mean(space: Space, trials: Sequence[Trial], metric: Metric) -> Iterator[Point]:
    """A variant's points; one that was pruned or diverged is as bad as its worst finished one."""
    placed = [
        trial
        for trial in trials
        if trial.status != "skipped" and trial.settings.keys() == space.keys()
    ]
    gains = {
        trial.number: metric.gain(trial.mean)
        for trial in placed
        if trial.status == "complete" and trial.mean is not None
    }
    if gains:
        mean, worst = fmean(gains.values()), min(gains.values())
        yield from ((trial.settings, gains.get(trial.number, worst) - mean) for trial in placed)


def _distribution(space: Space, name: str, points: Sequence[Point]) -> BaseDistribution:
    """As the space has it, drawn out to hold the declared value."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    values, tried = space[name], [settings[name] for settings, _ in points]
    if not isinstance(values, Range):
        return CategoricalDistribution(tuple(dict.fromkeys([*values, *tried])))
    numbers = [float(value) for value in (values.low, values.high, *tried)]
    low, high, log = min(numbers), max(numbers), values.scale == "log"
    if log and low <= 0:
        low, log = 0.0, False
    if integral(name):
        return IntDistribution(round(low), round(high), log=log)
    return FloatDistribution(low, high, log=log)
