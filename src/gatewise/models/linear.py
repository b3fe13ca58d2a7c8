"""A linear layer whose products are those of the compiled recurrences.

The output layer of a model that says words is wider than its recurrence, and computed at every
step: what torch's own products cost where they are held to portable bits would be most of the
training. The compiled ones give the same bits on any processor at full speed, and a row of them
hangs on no other row: what is said of an example does not hang on its batch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from gatewise.models.cells.sequences import product, usable


class Linear(nn.Linear):
    """As `torch.nn.Linear`; in full precision also where others are cast to half."""

    def forward(self, x: Tensor) -> Tensor:
        """`(..., in)` to `(..., out)`."""
        x = x.to(self.weight.dtype) if torch.is_autocast_enabled(x.device.type) else x
        if x.numel() == 0 or not usable(x, self.weight):
            return super().forward(x)
        flat: Tensor = _Product.apply(x.reshape(-1, x.shape[-1]), self.weight, self.bias)
        return flat.view(*x.shape[:-1], -1)


class _Product(torch.autograd.Function):
    """`(x (rows, in), weight (out, in), bias) -> (rows, out)`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.biased = bias is not None
        outputs = product(x, weight.t())
        return outputs if bias is None else outputs.add_(bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        g = gradients[0].contiguous()
        g_x = product(g, weight) if ctx.needs_input_grad[0] else None
        return g_x, product(g.t(), x), g.sum(0) if ctx.biased else None
