"""The temporal order problem."""

from __future__ import annotations

import numpy as np

from gatewise.diagnostics.probes.problems.base import Endless, Examples, one_hot

DISTRACTORS = 4
X, Y, FIRST, LAST = 4, 5, 6, 7
"""Symbols after the distractors a, b, c, d; the last two begin and end a sequence."""


class TemporalOrder(Endless):
    """X or Y, twice, far apart among distractors: say at the end which came, in which order.

    Hochreiter & Schmidhuber 1997, section 5.6, task 6a: four classes; the two symbols stand in
    the second and in the sixth tenth of the sequence (steps 10-20 and 50-60 of 100 to 110).
    """

    name = "order"
    title = "temporal order"
    paper = "Hochreiter & Schmidhuber 1997, section 5.6"
    length_means = "steps"
    inputs = LAST + 1
    """One of eight symbols."""
    outputs = 4
    chance = 0.25

    def steps(self, length: int) -> int:
        """From the first of the two to the end."""
        return length - length // 10

    def fresh(self, length: int, batch: int, rng: np.random.Generator) -> Examples:
        """Sequences are at least 10 steps long."""
        length = max(length, 10)
        classes = rng.integers(DISTRACTORS, size=(length, batch))
        classes[0], classes[-1] = FIRST, LAST
        tenth, columns = length // 10, np.arange(batch)
        symbols = rng.integers(2, size=(2, batch))
        for which, place in enumerate((tenth, 5 * tenth)):
            classes[rng.integers(place, place + tenth, batch), columns] = X + symbols[which]
        return Examples.answered_at_end(one_hot(classes, self.inputs), 2 * symbols[0] + symbols[1])
