"""Each place of a text by itself: a linear model of the whole input for every place.

It knows nothing of what it says elsewhere: what it lacks is that one symbol follows from another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

EPOCHS, BATCH, RATE, DECAY = 8, 128, 3e-3, 1e-2
MOST_PLACES = 32
"""Of a text; further ones are not said."""
Ints = npt.NDArray[np.integer]
Floats = npt.NDArray[np.floating]


class Positions:
    """A softmax for every place, over all symbols and the end."""

    def __init__(self, inputs: Floats, texts: Sequence[Ints], symbols: int) -> None:
        """Prepare to learn.

        Args:
            inputs: `(examples, features)`, standardised by what training holds.
            texts: symbols that should be said.
            symbols: how many there are; the end is one more.
        """
        import torch
        from torch import nn

        self.end = symbols
        self.places = min(MOST_PLACES, 1 + max(map(len, texts)))
        self.inputs = torch.from_numpy(inputs).float()
        self.wanted = torch.from_numpy(np.stack([self._padded(text) for text in texts]))
        self.model = nn.Linear(inputs.shape[1], self.places * (symbols + 1))
        nn.init.zeros_(self.model.weight)
        nn.init.zeros_(self.model.bias)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=RATE, weight_decay=DECAY)
        self.draws = np.random.default_rng(0)

    def learn(self) -> None:
        """Go through training once."""
        from torch.nn import functional

        order = self.draws.permutation(len(self.inputs))
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            logits = self._logits(self.inputs[rows])
            self.optimiser.zero_grad()
            loss = functional.cross_entropy(logits.flatten(0, 1), self.wanted[rows].flatten())
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()

    def say(self, inputs: Floats) -> list[Ints]:
        """Texts of `inputs (examples, features)`, each until its end."""
        import torch

        with torch.no_grad():
            best = self._logits(torch.from_numpy(inputs).float()).argmax(-1).numpy()
        ended = (best == self.end).cumsum(axis=1) > 0
        return [row[~over] for row, over in zip(best, ended, strict=True)]

    def _padded(self, text: Ints) -> Ints:
        """What every place should say: the end, once a text is over."""
        row = np.full(self.places, self.end, dtype=np.int64)
        row[: len(text)] = text[: self.places]
        return row

    def _logits(self, inputs: Tensor) -> Tensor:
        """`(examples, places, symbols and end)`."""
        given: Tensor = self.model(inputs)
        return given.reshape(len(inputs), self.places, self.end + 1)
