"""From the end of one recurrence to the start of another."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gatewise.models.cells import State
from gatewise.models.lengths import Lengths
from gatewise.models.linear import Linear
from gatewise.models.recurrence import Recurrence


class Bridge(nn.Module):
    """The decoder's first state, a learnt function of how the encoder ended.

    `s_0 = tanh(W y + b)` of the encoder's last outputs, forward at the sequence's end and backward
    at its beginning (Bahdanau et al. 2015, appendix A.2.2, which takes the backward one alone). It
    asks nothing of the states' shapes, so every cell has one: what a cell carries beside its output
    (the LSTM's cell state) is read from the outputs as well.
    """

    def __init__(self, width: int, decoder: Recurrence) -> None:
        """Lead from outputs of this `width` to the states of `decoder`."""
        super().__init__()
        self.cells = decoder.cells
        self.linear = Linear(width, sum(sum(cell.carried_sizes()) for cell in decoder.cells()))

    def forward(self, summary: Tensor) -> list[State]:
        """`(batch, width)` to one state a layer."""
        cells = self.cells()
        sizes = [size for cell in cells for size in cell.carried_sizes()]
        parts = iter(torch.split(torch.tanh(self.linear(summary)), sizes, dim=-1))
        return [cell.started([next(parts) for _ in cell.carried_sizes()]) for cell in cells]


def summary(y_tbh: Tensor, of: Lengths, *, bidirectional: bool) -> Tensor:
    """Outputs that have seen the whole of each sequence, `(batch, width)`."""
    last = of.last(y_tbh)
    if not bidirectional:
        return last
    half = y_tbh.shape[-1] // 2
    return torch.cat([last[:, :half], y_tbh[0, :, half:]], -1)
