"""Copy memory."""

from __future__ import annotations

import numpy as np

from gatewise.diagnostics.probes.problems.base import Examples, Problem, one_hot

SYMBOLS = 4
"""Symbols that there are (eight in the paper)."""
COPIED = 4
"""How many are remembered (ten in the paper)."""


class Copying(Problem):
    """A few symbols, then T blanks, then a signal at every step that asks for them in order.

    Arjovsky, Shah & Bengio 2016, section 4.1, after Hochreiter & Schmidhuber 1997, with fewer
    symbols and a signal for each of them.
    """

    name = "copy"
    title = "copy memory"
    paper = "Arjovsky, Shah & Bengio 2016, section 4.1"
    length_means = "blank steps"
    outputs = SYMBOLS
    chance = 1 / SYMBOLS

    def features(self, length: int) -> int:  # noqa: ARG002
        """Symbols, blank and signal."""
        return SYMBOLS + 2

    def steps(self, length: int) -> int:
        """Each symbol is asked for as many steps later."""
        return COPIED + length

    def draw(
        self,
        length: int,
        batch: int,
        rng: np.random.Generator,
        *,
        held_out: bool = False,  # noqa: ARG002
    ) -> Examples:
        """Answers count while they are asked for."""
        time = COPIED + length + COPIED
        symbols = rng.integers(SYMBOLS, size=(COPIED, batch))
        classes = np.full((time, batch), SYMBOLS)
        classes[:COPIED] = symbols
        classes[-COPIED:] = SYMBOLS + 1
        targets = np.zeros((time, batch), dtype=np.int64)
        targets[-COPIED:] = symbols
        return Examples.of(one_hot(classes, SYMBOLS + 2), targets, np.arange(time) >= time - COPIED)
