"""Cells whose gates see the input alone, so that all steps can be computed at once.

`h_t = a_t h_{t-1} + b_t` with `a` and `b` known beforehand is a scan: `linear_scan` computes it in
about `2 sqrt(time)` dependent steps instead of `time`.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from gatewise.models.cells.base import Cell, Shapes, State


class _Minimal(Cell):
    """What the two share: a projection, and a state that is a weighted sum of old and new."""

    weight_ih: Tensor
    bias: Tensor

    @classmethod
    def shapes(cls, input_size: int, hidden_size: int, **_: Any) -> Shapes:
        """No recurrent matrix."""
        rows = len(cls.blocks) * hidden_size
        return {"weight_ih": (rows, input_size), "bias": (rows,)}

    def project(self, x: Tensor) -> Tensor:
        """`W x + b` for all blocks at once."""
        return F.linear(x, self.weight_ih, self.bias)

    def mix(self, projected: Tensor) -> tuple[Tensor, Tensor]:
        """`(keep, add)` of `h_t = keep h_{t-1} + add`, for any number of steps."""
        raise NotImplementedError

    def step(self, projected_t: Tensor, state: State) -> tuple[Tensor, State]:
        """One step of the recurrence."""
        keep, add = self.mix(projected_t)
        h = torch.addcmul(add, keep, state[0])
        return h, (h,)

    def fused(self, x_tbf: Tensor, state: State) -> tuple[Tensor, State]:
        """All steps by a parallel scan."""
        keep, add = self.mix(self.project(x_tbf))
        h_tbh = linear_scan(keep, add, state[0])
        return h_tbh, (h_tbh[-1],)


class MinGRU(_Minimal, name="mingru"):
    """GRU without recurrent products: the gate and the candidate see the input alone.

    `z = sigmoid(W_z x_t + b_z)`, `n = W_n x_t + b_n`, `h_t = (1 - z) h_{t-1} + z n`
    """

    blocks = ("update", "new")
    gates = ("update",)
    keep_gate = "update"
    keep_sign = -1
    source = "Feng et al. 2024, section 3.1 (minGRU)"

    def mix(self, projected: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        z, n = projected.chunk(2, -1)
        z = torch.sigmoid(z)
        return 1 - z, z * n


class MinLSTM(_Minimal, name="minlstm"):
    """LSTM without recurrent products, cell state or output gate; its gates sum to one.

    `f = sigmoid(W_f x_t + b_f)`, `i = sigmoid(W_i x_t + b_i)`, `n = W_n x_t + b_n`,
    `h_t = f / (f + i) h_{t-1} + i / (f + i) n`
    """

    blocks = ("forget", "input", "new")
    gates = ("forget", "input")
    keep_gate = "forget"
    source = "Feng et al. 2024, section 3.2 (minLSTM, length independence scaling)"

    def mix(self, projected: Tensor) -> tuple[Tensor, Tensor]:
        """See the class; the quotient is a sigmoid, which cannot divide by zero."""
        f, i, n = projected.chunk(3, -1)
        keep = torch.sigmoid(F.logsigmoid(f) - F.logsigmoid(i))
        return keep, (1 - keep) * n


def linear_scan(keep_tbh: Tensor, add_tbh: Tensor, h0: Tensor) -> Tensor:
    """All `h_t = keep_t h_{t-1} + add_t`, `(time, batch, hidden)`, from `h0 (batch, hidden)`."""
    h_tbh: Tensor = _LinearScan.apply(keep_tbh, add_tbh, h0)
    return h_tbh


class _LinearScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, keep: Tensor, add: Tensor, h0: Tensor) -> Tensor:
        h = _scan(keep, add, h0)
        ctx.save_for_backward(keep, h0, h)
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g_h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # The same recurrence, backwards: g_t = keep_{t+1} g_{t+1} + what arrives at t.
        keep, h0, h = ctx.saved_tensors
        after = torch.cat([keep[1:], torch.zeros_like(keep[:1])]).flip(0)
        g = _scan(after, g_h.flip(0), torch.zeros_like(h0)).flip(0)
        return g * torch.cat([h0[None], h[:-1]]), g, g[0] * keep[0]


def _scan(keep: Tensor, add: Tensor, h0: Tensor) -> Tensor:
    """Two levels: within blocks of about sqrt(time) steps side by side, then across blocks."""
    time = len(keep)
    length = math.isqrt(time - 1) + 1
    count = -(-time // length)
    missing = count * length - time
    if missing:
        keep = torch.cat([keep, keep.new_zeros(missing, *keep.shape[1:])])
        add = torch.cat([add, add.new_zeros(missing, *add.shape[1:])])
    shape = (count, length, *keep.shape[1:])
    keep = keep.reshape(shape)
    h = add.reshape(shape).clone()
    kept = keep.clone()  # of what entered the block, after each of its steps
    for t in range(1, length):
        h[:, t].addcmul_(keep[:, t], h[:, t - 1])
        kept[:, t].mul_(kept[:, t - 1])
    entering = [h0]
    for block in range(count - 1):
        entering.append(torch.addcmul(h[block, -1], kept[block, -1], entering[-1]))
    h.addcmul_(kept, torch.stack(entering)[:, None])
    flat: Tensor = h.flatten(0, 1)[:time]
    return flat
