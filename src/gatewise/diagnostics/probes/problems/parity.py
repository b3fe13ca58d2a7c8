"""Parity of bits."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from gatewise.diagnostics.probes.problems.base import Endless, Examples


class Parity(Endless):
    """Whether an odd number of ones has come, at every step.

    It needs one bit of state and a recurrence that can flip it, rather than a long memory.
    Bengio, Simard & Frasconi 1994, among the problems that gradient descent finds hard.
    """

    name = "parity"
    title = "parity of bits"
    paper = "Bengio, Simard & Frasconi 1994"
    length_means = "bits"
    inputs = 1
    """The bit, as -1 or 1."""
    outputs = 2
    chance = 0.5

    def fresh(self, length: int, batch: int, rng: np.random.Generator) -> Examples:
        """Every step is learnt from."""
        bits = rng.integers(2, size=(length, batch))
        inputs = (2 * bits - 1)[..., None]
        return Examples.of(inputs, bits.cumsum(axis=0) % 2, np.ones(length, dtype=bool))

    def score(self, answers: Tensor, examples: Examples) -> float:
        """At the last step alone: early ones are easy and would flatter long sequences."""
        right = answers[-1].argmax(-1) == examples.targets[-1]
        return float(right.float().mean())
