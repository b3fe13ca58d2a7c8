"""Counting: a^n b^n."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from gatewise.diagnostics.probes.problems.base import Examples, Problem, one_hot

A, B = 0, 1


class Counting(Problem):
    """n times a, then b's: say at each b whether it is the last one, n unknown.

    A length is the largest n: training draws n from 1 to it, a held-out score asks for the
    longest alone. What was learnt on short strings is then asked of longer ones, for which a cell
    has to have learnt to count. Gers & Schmidhuber 2001; Weiss, Goldberg & Yahav 2018: an LSTM's
    cell state can count, a GRU's is squashed and cannot. A string counts as right where every
    answer is. Training goes on to the end of its own budget (`counting_updates`), the rate falling:
    counting settles long after the trained strings are right.
    """

    name = "counting"
    title = "counting, a^n b^n"
    paper = "Weiss, Goldberg & Yahav 2018; Gers & Schmidhuber 2001"
    length_means = "a's, at most"
    inputs = 2
    """Which of the two letters."""
    outputs = 2
    chance = 0.0
    learnt_once = True

    def steps(self, length: int) -> int:
        """From the first a to the last b."""
        return 2 * length

    def draw(
        self, length: int, batch: int, rng: np.random.Generator, *, held_out: bool = False
    ) -> Examples:
        """Short strings end early; what stands behind them does not count."""
        lowest = length if held_out else 1
        n = rng.integers(lowest, length, batch, endpoint=True)
        step = np.arange(2 * n.max())[:, None]
        classes = np.where(step < n, A, np.where(step < 2 * n, B, -1))
        targets = (step == 2 * n - 1).astype(np.int64)
        return Examples.of(one_hot(classes, self.inputs), targets, (step >= n) & (step < 2 * n))

    def score(self, answers: Tensor, examples: Examples) -> float:
        """Share of strings in which every answer is right."""
        right = (answers.argmax(-1) == examples.targets) | ~examples.scored
        return float(right.all(0).float().mean())
