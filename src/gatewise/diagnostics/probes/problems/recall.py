"""Associative recall of key-value pairs."""

from __future__ import annotations

import numpy as np

from gatewise.diagnostics.probes.problems.base import Endless, Examples, one_hot

VALUES = 4
"""Symbols that a key may stand for (ten digits in the paper)."""


class Recall(Endless):
    """Pairs of a key and a value, then one of the keys again: say its value.

    Ba, Hinton, Mnih, Leibo & Ionescu 2016 ("Using Fast Weights to Attend to the Recent Past",
    section 4.1), with as many different keys as pairs and fewer values. A state of fixed size
    has to bind every key to its value.
    """

    name = "recall"
    title = "associative recall"
    paper = "Ba et al. 2016, section 4.1"
    length_means = "pairs"
    outputs = VALUES
    chance = 1 / VALUES

    def features(self, length: int) -> int:
        """Keys, values and the signal that a key is asked for."""
        return length + VALUES + 1

    def steps(self, length: int) -> int:
        """From the first value to the answer."""
        return 2 * length

    def fresh(self, length: int, batch: int, rng: np.random.Generator) -> Examples:
        """The keys stand in an order of their own in every sequence."""
        keys = rng.permuted(np.tile(np.arange(length)[:, None], (1, batch)), axis=0)
        values = rng.integers(VALUES, size=(length, batch))
        asked, columns = rng.integers(length, size=batch), np.arange(batch)
        time = 2 * length + 2
        classes = np.empty((time, batch), dtype=np.int64)
        classes[0 : 2 * length : 2] = keys
        classes[1 : 2 * length : 2] = length + values
        classes[-2] = length + VALUES
        classes[-1] = keys[asked, columns]
        return Examples.answered_at_end(
            one_hot(classes, self.features(length)), values[asked, columns]
        )
