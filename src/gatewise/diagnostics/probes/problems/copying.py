"""Copy memory."""

from __future__ import annotations

import numpy as np

from gatewise.diagnostics.probes.problems.base import Endless, Examples, one_hot

SYMBOLS = 4
"""Symbols that there are (eight in the paper)."""
COPIED = 4
"""How many are remembered (ten in the paper)."""


class Copying(Endless):
    """A few symbols, then T blanks, then a signal at every step that asks for them in order.

    Arjovsky, Shah & Bengio 2016, section 4.1, after Hochreiter & Schmidhuber 1997, with fewer
    symbols and a signal for each of them.
    """

    name = "copy"
    title = "copy memory"
    paper = "Arjovsky, Shah & Bengio 2016, section 4.1"
    length_means = "blank steps"
    inputs = SYMBOLS + 2
    """Symbols, blank and signal."""
    outputs = SYMBOLS
    chance = 1 / SYMBOLS

    def steps(self, length: int) -> int:
        """Each symbol is asked for as many steps later."""
        return COPIED + length

    def fresh(self, length: int, batch: int, rng: np.random.Generator) -> Examples:
        """Answers count while they are asked for."""
        time = COPIED + length + COPIED
        symbols = rng.integers(SYMBOLS, size=(COPIED, batch))
        classes = np.full((time, batch), SYMBOLS)
        classes[:COPIED] = symbols
        classes[-COPIED:] = SYMBOLS + 1
        targets = np.zeros((time, batch), dtype=np.int64)
        targets[-COPIED:] = symbols
        return Examples.of(one_hot(classes, self.inputs), targets, np.arange(time) >= time - COPIED)
