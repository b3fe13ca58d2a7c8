"""The LSTM with full gate recurrence over a whole sequence, with a hand-written backward pass.

Its gates are both results and inputs of every step, so the pass that `staged` derives carries
five states with dense slopes. By hand the step is short, and what the recurrent matrices meet
lies in one piece: 1.9 times the time of an LSTM, for 2.1 times its arithmetic.

With `s = sigmoid'`, gradients `g_h, g_c, g_i, g_f, g_o` by the outputs of a step give, unit by
unit and in this order (see `FullGateRecurrence` for the equations),

    a_o:  d_o = g_o s(o) + g_h tanh(c) s(o)
    c:    g_c + g_h o (1 - tanh(c)^2) + p_o d_o, called g_c from here on
    a_i:  d_i = g_i s(i) + g_c z s(i)
    a_f:  d_f = g_f s(f) + g_c c_{t-1} s(f)
    a_z:  d_z = g_c i (1 - z^2)
    c_{t-1}:  g_c f + p_i d_i + p_f d_f

The blocks stand in the order o, i, f, z: the gates (o, i, f) and what `g_c` reaches (i, f, z) are
then both in one piece.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

CHUNK_ELEMENTS = 1 << 17
"""Elements of a gate whose derivatives are computed at once, to stay in the cache."""


class FastFGR(torch.autograd.Function):
    """`(x_tbf, h, c, i, f, o, W_ih, W_hh, W_hg, bias, peephole) -> (h_tbh, h, c, i, f, o)`."""

    @staticmethod
    def forward(ctx: Any, x_tbf: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        """All steps, keeping states, gates and `z` for the backward pass."""
        h_0, c_0, i_0, f_0, o_0, weight_ih, weight_hh, weight_hg, bias, peephole = tensors
        time, batch, _ = x_tbf.shape
        width = h_0.shape[1]
        w_ih, w_hh, w_hg, bias = _ours(weight_ih, weight_hh, weight_hg, bias)
        a = torch.addmm(bias, x_tbf.reshape(time * batch, -1), w_ih.t())
        blocks = a.view(time, batch, 4, width)
        # Before each step, and one more after the last: h, then the gates o, i, f.
        s = a.new_empty(time + 1, batch, 4, width)
        c = a.new_empty(time + 1, batch, width)
        torch.stack([h_0, o_0, i_0, f_0], 1, out=s[0])
        c[0] = c_0
        p_if, p_o = peephole[:2], peephole[2]
        to_all, to_gates = w_hh.t(), w_hg.t()
        a_t, a_gates_t = blocks.flatten(2).unbind(0), blocks[:, :, :3].flatten(2).unbind(0)
        s_t, c_t, blocks_t = s.unbind(0), c.unbind(0), blocks.unbind(0)
        gates_t = s[:, :, 1:].flatten(2).unbind(0)
        for t in range(time):
            a_t[t].addmm_(s_t[t][:, 0], to_all)
            a_gates_t[t].addmm_(gates_t[t], to_gates)
            (h, o, i, f), old, new = s_t[t + 1].unbind(1), c_t[t], c_t[t + 1]
            a_if = blocks_t[t][:, 1:3].addcmul_(p_if, old.unsqueeze(1))
            torch.sigmoid(a_if, out=s_t[t + 1][:, 2:])
            torch.mul(blocks_t[t][:, 3].tanh_(), i, out=new).addcmul_(f, old)
            torch.sigmoid(blocks_t[t][:, 0].addcmul_(p_o, new), out=o)
            torch.mul(torch.tanh(new), o, out=h)
        ctx.save_for_backward(x_tbf, s, c, blocks[:, :, 3], w_ih, w_hh, w_hg, peephole)
        h, o, i, f = (part.clone() for part in s[-1].unbind(1))
        return s[1:, :, 0].contiguous(), h, c[-1].clone(), i, f, o

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gy_tbh: Tensor, *g_last: Tensor) -> tuple[Tensor | None, ...]:
        """Slopes in bulk, the loop back through time, then one product for each matrix."""
        x_tbf, s, c, z, w_ih, w_hh, w_hg, peephole = ctx.saved_tensors
        time, batch, width = z.shape
        g_h, g_c, g_i, g_f, g_o = g_last
        p_i, p_f, p_o = peephole
        d = s.new_empty(time, batch, 4, width)
        d_t, d_flat_t = d.unbind(0), d.flatten(2).unbind(0)
        d_gates_t = d[:, :, :3].flatten(2).unbind(0)
        f_t, gy = s[1:, :, 3].unbind(0), gy_tbh.unbind(0)
        g_h = g_h + gy[-1]
        g_gates = torch.cat([g_o, g_i, g_f], 1)
        chunk = max(CHUNK_ELEMENTS // (batch * width), 1)
        for stop in range(time, 0, -chunk):
            start = max(stop - chunk, 0)
            slopes = _slopes(s[start : stop + 1], c[start : stop + 1], z[start:stop])
            by_gates, if_by_c, z_by_c, o_by_h, c_by_h = (part.unbind(0) for part in slopes)
            for t in reversed(range(start, stop)):
                k = t - start
                d_o, d_i, d_f, d_z = d_t[t].unbind(1)
                torch.mul(g_gates.view(batch, 3, width), by_gates[k], out=d_t[t][:, :3])
                d_o.addcmul_(g_h, o_by_h[k])
                g_c = torch.addcmul(g_c, g_h, c_by_h[k]).addcmul_(d_o, p_o)
                d_t[t][:, 1:3].addcmul_(g_c.unsqueeze(1), if_by_c[k])
                torch.mul(g_c, z_by_c[k], out=d_z)
                g_c = torch.mul(g_c, f_t[t]).addcmul_(d_i, p_i).addcmul_(d_f, p_f)
                g_h = torch.addmm(gy[t - 1], d_flat_t[t], w_hh) if t > 0 else d_flat_t[t] @ w_hh
                g_gates = d_gates_t[t] @ w_hg
        rows, before = d.view(time * batch, -1), s[:-1].view(time * batch, -1)
        gates = rows[:, : 3 * width]
        g_x = (rows @ w_ih).view_as(x_tbf) if ctx.needs_input_grad[0] else None
        g_weights = _theirs(
            rows.t() @ x_tbf.reshape(time * batch, -1),
            rows.t() @ before[:, :width],
            gates.t() @ before[:, width:],
            rows.sum(0),
        )
        seen = ((1, c[:-1]), (2, c[:-1]), (0, c[1:]))
        g_peephole = torch.stack([(d[:, :, j] * by).sum((0, 1)) for j, by in seen])
        g_o, g_i, g_f = g_gates.chunk(3, 1)
        return g_x, g_h, g_c, g_i, g_f, g_o, *g_weights, g_peephole


def _slopes(s: Tensor, c: Tensor, z: Tensor) -> tuple[Tensor, ...]:
    """`d_o, d_i, d_f` by the gates' gradients; `d_i, d_f` and `d_z` by `g_c`; `d_o`, `c` by `g_h`.

    `s` and `c` begin one step earlier than `z`.
    """
    gates = s[1:, :, 1:]
    o, i, _ = gates.unbind(2)
    by_gates = torch.addcmul(gates, gates, gates, value=-1)
    if_by_c = by_gates[:, :, 1:] * torch.stack([z, c[:-1]], 2)
    z_by_c = torch.addcmul(i, i * z, z, value=-1)
    squashed = torch.tanh(c[1:])
    c_by_h = torch.addcmul(o, o * squashed, squashed, value=-1)
    return by_gates, if_by_c, z_by_c, by_gates[:, :, 0] * squashed, c_by_h


def _ours(w_ih: Tensor, w_hh: Tensor, w_hg: Tensor, bias: Tensor) -> list[Tensor]:
    """Blocks i, f, o, z as o, i, f, z; the gates' matrix along its columns too."""
    return [_roll(w_ih, 4, 1), _roll(w_hh, 4, 1), _roll_both(w_hg, 1), _roll(bias, 4, 1)]


def _theirs(w_ih: Tensor, w_hh: Tensor, w_hg: Tensor, bias: Tensor) -> list[Tensor]:
    """The reverse of `_ours`."""
    return [_roll(w_ih, 4, -1), _roll(w_hh, 4, -1), _roll_both(w_hg, -1), _roll(bias, 4, -1)]


def _roll(rows: Tensor, blocks: int, by: int) -> Tensor:
    """The first three blocks of rows shifted round by `by` places."""
    parts = rows.reshape(blocks, -1, *rows.shape[1:])
    return torch.cat([parts[:3].roll(by, 0), parts[3:]]).flatten(0, 1)


def _roll_both(square: Tensor, by: int) -> Tensor:
    return _roll(_roll(square, 3, by).t(), 3, by).t().contiguous()
