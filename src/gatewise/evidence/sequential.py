"""Adding seeds in rounds without inflating the error rate: `seeds: auto`.

A study that looks at its results after every round and stops when it likes them tests more
often than it says. Here the level is spent over the looks beforehand (Lan & DeMets 1983,
Pocock-like spending), each look's boundary follows from the joint distribution of the looks
(Armitage, McPherson & Rowe 1969), and the primary pairs share the level by Holm's method,
which stays valid when a pair that was decided passes its share on (Maurer & Bretz 2013).

Nothing here has a memory: the decisions of all rounds follow from the scores in the order of
the seeds, so a rerun decides the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from gatewise.evidence import statistics

GRID = 801
"""Points of the grid that boundaries are integrated on."""


@dataclass(frozen=True)
class Decision:
    """When and how a pair was decided."""

    verdict: str
    """`a`, `b`, `equivalent` or `undecided`."""
    look: int | None
    """Seeds that had been run when it was decided."""


@lru_cache(maxsize=256)
def nominal_levels(at: tuple[int, ...], alpha: float) -> tuple[float, ...]:
    """One-sided level of the test at each look so that all looks together keep `alpha`.

    Args:
        at: seeds at each look, rising; the last look is the end of the study.
        alpha: one-sided level of the whole.
    """
    from scipy import stats

    times = np.array(at, dtype=float) / at[-1]
    spent = alpha * np.log1p((math.e - 1) * times)
    levels = [float(spent[0])]
    bound = float(stats.norm.isf(spent[0]))
    # Density of the score process (Brownian at the looks' times), still below every bound.
    grid = np.linspace(-8.0 * math.sqrt(times[0]), bound * math.sqrt(times[0]), GRID)
    density = stats.norm.pdf(grid, scale=math.sqrt(times[0]))
    for k in range(1, len(times)):
        step = math.sqrt(times[k] - times[k - 1])
        weights = density * _trapezoid(grid)
        wanted = spent[k] - spent[k - 1]
        high = 10.0 * math.sqrt(times[k])
        bound = _bisect(
            lambda x: float(weights @ stats.norm.sf((x - grid) / step)),  # noqa: B023
            wanted,
            -high,
            high,
        )
        levels.append(float(stats.norm.sf(bound / math.sqrt(times[k]))))
        following = np.linspace(-8.0 * math.sqrt(times[k]), bound, GRID)
        kernel = stats.norm.pdf((following[:, None] - grid[None, :]) / step) / step
        grid, density = following, kernel @ weights
    return tuple(levels)


def decide(
    differences: Mapping[str, npt.ArrayLike],
    at: Sequence[int],
    rope: float,
    alpha: float,
) -> dict[str, Decision]:
    """Verdicts of all pairs after the looks that the scores suffice for.

    Args:
        differences: paired differences of each pair, in the order of the seeds, turned so that
            `a` is better where they are above zero.
        at: all looks that were planned, those still to come included.
        rope: region of practical equivalence.
        alpha: family-wise level over pairs and looks, for each kind of false call.
    """
    planned = tuple(at)
    arrays = {name: np.asarray(d, dtype=float) for name, d in differences.items()}
    different: dict[str, int] = {}
    equal: dict[str, int] = {}
    for k, n in enumerate(planned):
        ready = {name: d[:n] for name, d in arrays.items() if len(d) >= n}
        p_equal = {
            name: statistics.equivalence(d, rope) for name, d in ready.items() if name not in equal
        }
        _step_down(p_equal, len(arrays) - len(equal), k, planned, alpha, 1, equal)
        tests = {name: statistics.sign_flip(d) for name, d in ready.items()}
        p_different = {
            name: test.two_sided if test else None
            for name, test in tests.items()
            if name not in different
        }
        _step_down(p_different, len(arrays) - len(different), k, planned, alpha, 2, different)
    return {name: _decision(d, different.get(name), equal.get(name)) for name, d in arrays.items()}


def _step_down(
    p_values: Mapping[str, float | None],
    remaining: int,
    look: int,
    at: tuple[int, ...],
    alpha: float,
    sides: int,
    rejected: dict[str, int],
) -> None:
    """Holm's steps at one look; what is rejected enters `rejected` with its number of seeds."""
    known = sorted((p, name) for name, p in p_values.items() if p is not None)
    for p, name in known:
        level = sides * nominal_levels(at, alpha / sides / remaining)[look]
        if p > level:
            return
        rejected[name] = at[look]
        remaining -= 1


def _decision(d: statistics.Floats, different: int | None, equal: int | None) -> Decision:
    """The rule of `gatewise.evidence.pairs`, for whichever test was rejected first."""
    if equal is not None and (different is None or equal <= different):
        return Decision("equivalent", equal)
    if different is not None:
        return Decision("a" if d[:different].mean() > 0 else "b", different)
    return Decision("undecided", None)


def _trapezoid(grid: statistics.Floats) -> statistics.Floats:
    weights = np.full(len(grid), grid[1] - grid[0])
    weights[[0, -1]] /= 2
    return weights


def _bisect(falling: Callable[[float], float], value: float, low: float, high: float) -> float:
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > value else (low, middle)
    return (low + high) / 2
