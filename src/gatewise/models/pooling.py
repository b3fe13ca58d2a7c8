"""What remains of a sequence: its last step, a mean, a maximum, or an attention-weighted mean."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from gatewise.models.lengths import Lengths


class Pooling(nn.Module):
    """`(time, batch, width)` to `(batch, width)`, blind to padding."""

    def __init__(self, kind: Literal["last", "mean", "max", "attention"], width: int) -> None:
        super().__init__()
        self.kind = kind
        # No bias: it would move every step's score alike, which a softmax does not see.
        self.score = nn.Linear(width, 1, bias=False) if kind == "attention" else None

    def forward(self, x_tbf: Tensor, lengths: Lengths) -> Tensor:
        """Pool over each sequence's own steps."""
        if self.kind == "last":
            return lengths.last(x_tbf)
        if self.kind == "mean":
            return lengths.mean(x_tbf)
        if self.kind == "max":
            x_tbf = x_tbf if lengths.full else x_tbf.masked_fill(~lengths.mask, -torch.inf)
            return x_tbf.amax(0)
        assert self.score is not None  # noqa: S101  (for the type checker)
        score = self.score(x_tbf)
        if not lengths.full:
            score = score.masked_fill(~lengths.mask, -torch.inf)
        pooled: Tensor = (score.softmax(0) * x_tbf).sum(0)
        return pooled
