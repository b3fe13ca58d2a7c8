"""How much of a gradient reaches back k steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gatewise.diagnostics.probes.prober import Prober
from gatewise.diagnostics.probes.problems import Problem

EXAMPLES = 32
SMALLEST = 1e-30
"""Norms below count as this."""


def norms(model: Prober, problem: Problem, length: int, rng: np.random.Generator) -> list[float]:
    """log10 norm of the gradient of the last answer's loss by the input k steps before, k = 0, ...

    As in the loss of adding, whose only answer is the last one. Averaged over a batch before the
    logarithm.
    """
    examples = problem.draw(length, EXAMPLES, rng)
    inputs = examples.inputs.requires_grad_()
    problem.loss(model(inputs), examples).backward()  # type: ignore[no-untyped-call]
    assert inputs.grad is not None  # noqa: S101  (for the type checker)
    # By example: the loss is a mean over them.
    by_distance = (inputs.grad.norm(dim=-1).mean(dim=1) * EXAMPLES).flip(0)
    return [math.log10(max(float(norm), SMALLEST)) for norm in by_distance]


def log10_left(log10_norms: Sequence[float], distance: int) -> float:
    """What is left of the nearest step's norm so many steps back, as a log10 ratio.

    The nearest ten steps and ten about the distance are averaged, since single steps scatter.
    """
    values = np.asarray(log10_norms, dtype=float)
    near = values[: min(10, max(distance, 1))]
    far = values[max(distance - 5, 0) : distance + 5]
    return float(far.mean() - near.mean())


def half_life(log10_norms: Sequence[float]) -> float | None:
    """Steps in which the norm halves, by a line through its logarithm.

    Only distances down to a millionth of the largest norm count, below which single precision
    says little.

    Returns:
        Steps, or `None` where the norm does not shrink.
    """
    values = np.asarray(log10_norms, dtype=float)
    below = np.flatnonzero(values < values.max() - 6)
    kept = values[: below[0]] if len(below) else values
    if len(kept) < 2:
        return 1.0 / max(1.0, 6 * math.log2(10))
    slope = float(np.polyfit(np.arange(len(kept)), kept, 1)[0])
    return None if slope >= -1e-9 else math.log10(2) / -slope
