"""The adding problem."""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torch.nn import functional

from gatewise.diagnostics.probes.problems.base import Endless, Examples


class Adding(Endless):
    """Two of T random numbers are marked, one in each half: give their sum at the end.

    The score is the share of the variance explained: 0 is as good as always saying the mean.
    Hochreiter & Schmidhuber 1997, section 5.4; in the form of Le, Jaitly & Hinton 2015.
    """

    name = "adding"
    title = "adding problem"
    paper = "Hochreiter & Schmidhuber 1997, section 5.4"
    length_means = "steps"
    inputs = 2
    """A number and a mark."""
    outputs = 1
    chance = 0.0

    def fresh(self, length: int, batch: int, rng: np.random.Generator) -> Examples:
        """Targets are sums less 1, so that their mean is 0."""
        length = max(length, 2)
        values = rng.random((length, batch)).astype(np.float32)
        marks = np.zeros((length, batch), dtype=np.float32)
        columns = np.arange(batch)
        first = rng.integers(0, length // 2, batch)
        second = rng.integers(length // 2, length, batch)
        marks[first, columns] = marks[second, columns] = 1
        targets = values[first, columns] + values[second, columns] - 1
        return Examples.answered_at_end(np.stack([values, marks], axis=-1), targets)

    def loss(self, answers: Tensor, examples: Examples) -> Tensor:
        """Squared error of the last answer."""
        return functional.mse_loss(answers[-1, :, 0], examples.targets)

    def score(self, answers: Tensor, examples: Examples) -> float:
        """Share of the variance explained, at least 0."""
        error = float(functional.mse_loss(answers[-1, :, 0], examples.targets))
        return max(0.0, 1 - error / float(examples.targets.var(unbiased=False)))
