"""Lengths of padded batches: masks, reversal, last steps and means that never see padding."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gatewise.errors import GatewiseError


class Lengths:
    """Lengths of a padded batch, and the indices and masks that follow from them.

    Each is made once a batch, and not at all where every sequence fills the batch.
    """

    def __init__(self, lengths: Tensor, time: int) -> None:
        shortest, longest = (int(x) for x in lengths.aminmax())
        if shortest < 1 or longest > time:
            raise GatewiseError(
                f"sequence lengths must lie between 1 and the batch's {time} steps, "
                f"not {shortest} to {longest}"
            )
        self.lengths = lengths
        self.time = time
        self.full = shortest == time
        self._steps = torch.arange(time, device=lengths.device)[:, None]

    @property
    def mask(self) -> Tensor:
        """`(time, batch, 1)`, true within each sequence."""
        return (self._steps < self.lengths)[..., None]

    def reverse(self, x_tbf: Tensor) -> Tensor:
        """Each sequence turned round within its length; padding stays where it is."""
        if self.full:
            return x_tbf.flip(0)
        steps, batch = self._steps, len(self.lengths)
        source = torch.where(steps < self.lengths, self.lengths - 1 - steps, steps)
        rows = source * batch + torch.arange(batch, device=source.device)
        permuted: Tensor = _Permute.apply(x_tbf, rows.flatten())
        return permuted

    def last(self, x_tbf: Tensor) -> Tensor:
        """What stands at each sequence's last step, `(batch, features)`."""
        if self.full:
            return x_tbf[-1]
        return x_tbf[self.lengths - 1, torch.arange(len(self.lengths), device=x_tbf.device)]

    def mean(self, x_tbf: Tensor) -> Tensor:
        """Mean over each sequence's own steps, `(batch, features)`."""
        if self.full:
            return x_tbf.mean(0)
        return (x_tbf * self.mask).sum(0) / self.lengths[:, None]


class _Permute(torch.autograd.Function):
    """Rows rearranged by a permutation that is its own inverse, and so its own gradient."""

    @staticmethod
    def forward(ctx: Any, x_tbf: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        return x_tbf.flatten(0, 1).index_select(0, rows).view_as(x_tbf)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        (rows,) = ctx.saved_tensors
        return gradient.flatten(0, 1).index_select(0, rows).view_as(gradient), None
