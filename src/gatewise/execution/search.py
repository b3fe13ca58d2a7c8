"""Points of a space of settings: which ones the trials of a variant try.

Point 0 is what `params.yaml` declares. The points after it follow from the space and their number
alone, so they are the same for every variant, whatever ran before and however many are asked for
(but on a grid, whose meshes follow from how many there are); more trials keep the old ones. With
`tpe` a point follows from the variant's own finished trials.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from scipy.stats import qmc

from gatewise import streams
from gatewise.artifacts.tuned import Trial
from gatewise.config.metrics import METRICS
from gatewise.config.tuning import Range, Space, TuningConfig, Value, integral

SEARCH = 0
"""Seed of the search itself: a study has one."""


def points(tuning: TuningConfig, count: int) -> list[dict[str, Value]]:
    """The points after the declared one, `count` of them or as many as a grid has.

    Raises:
        ValueError: the method goes by finished trials.
    """
    if tuning.method == "tpe":
        raise ValueError("the points of tpe follow from trials; ask `suggest`")
    if tuning.method == "grid":
        return _grid(tuning.space, count)
    places = _sobol if tuning.method == "quasi-random" else _random
    return [_point(tuning.space, row) for row in places(len(tuning.space), count)]


def suggest(tuning: TuningConfig, metric: str, trials: Sequence[Trial]) -> dict[str, Value]:
    """The next point by Optuna's TPE, given all trials so far (Bergstra et al. 2011).

    The study is built anew from the trials and the sampler's seed follows from their number, so the
    point does not hang on whether the search was interrupted. One trial at a time: parallel studies
    of Optuna are not reproducible.
    """
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def distribution(name: str) -> optuna.distributions.BaseDistribution:
        choices = tuning.space[name]
        if not isinstance(choices, Range):
            return CategoricalDistribution(choices)
        log = choices.scale == "log"
        if integral(name):
            return IntDistribution(round(choices.low), round(choices.high), log=log)
        return FloatDistribution(choices.low, choices.high, log=log)

    space = {name: distribution(name) for name in tuning.space}
    seed = streams.torch_seed(SEARCH, "tuning", len(trials)) % 2**32
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=4)
    )
    gain = METRICS[metric].gain
    for trial in trials:
        inside = _inside(space, trial.settings)
        if trial.mean is not None and inside:
            study.add_trial(
                optuna.trial.create_trial(
                    params=trial.settings, distributions=space, value=gain(trial.mean)
                )
            )
    asked = study.ask(space).params
    return {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in asked.items()
    }


def _inside(space: Mapping[str, object], settings: dict[str, Value]) -> bool:
    """Whether a point can be told to Optuna: the declared one may lie outside of the space."""
    return all(
        name in settings and distribution._contains(distribution.to_internal_repr(settings[name]))  # type: ignore[attr-defined]
        for name, distribution in space.items()
    )


def _sobol(dimensions: int, count: int) -> np.ndarray:
    """`(count, dimensions)` in [0, 1): the first points of one scrambled Sobol sequence."""
    generator = streams.generator(SEARCH, "tuning")
    sequence = qmc.Sobol(dimensions, scramble=True, rng=generator)
    places: np.ndarray = sequence.random_base2(math.ceil(math.log2(max(count, 1))))
    return places[:count]


def _random(dimensions: int, count: int) -> np.ndarray:
    """`(count, dimensions)` in [0, 1): each point from a place of its own in the stream."""
    rows = [streams.generator(SEARCH, "tuning", k).random(dimensions) for k in range(count)]
    return np.array(rows).reshape(count, dimensions)


def _grid(space: Space, count: int) -> list[dict[str, Value]]:
    """All corners of the finest even grid that has no more than `count`."""
    listed = math.prod(len(values) for values in space.values() if isinstance(values, tuple))
    ranges = sum(isinstance(values, Range) for values in space.values())
    levels = int((count / listed + 1e-9) ** (1 / ranges)) if ranges else 1
    sides = [
        list(values)
        if isinstance(values, tuple)
        else [_value(name, values, (k + 0.5) / levels) for k in range(levels)]
        for name, values in space.items()
    ]
    return [dict(zip(space, corner, strict=True)) for corner in product(*sides)][:count]


def _point(space: Space, row: np.ndarray) -> dict[str, Value]:
    return {
        name: _value(name, values, float(place))
        for (name, values), place in zip(space.items(), row, strict=True)
    }


def _value(name: str, values: Range | tuple[Value, ...], place: float) -> Value:
    if isinstance(values, tuple):
        return values[min(int(place * len(values)), len(values) - 1)]
    value = values.at(place)
    return round(value) if integral(name) else value
