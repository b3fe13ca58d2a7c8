"""Several right answers in one row of symbols, `OTHERWISE` between them."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.artifacts.objectives.base import OTHERWISE


def first(targets: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The first right answer of each example, padded with zeros, and its length.

    Args:
        targets: `(batch, longest)` of all right answers, padded at the end.
        lengths: of each row, `(batch,)`.
    """
    steps = torch.arange(targets.shape[1], device=targets.device)
    ends = (targets == OTHERWISE) | (steps >= lengths[:, None])
    until = torch.where(ends.any(1), ends.int().argmax(1), targets.shape[1])
    longest = int(until.max())
    alone = targets[:, :longest]
    return alone.masked_fill(steps[:longest] >= until[:, None], 0), until
