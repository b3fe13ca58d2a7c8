"""A GRU over a whole sequence on a CPU, with a backward pass written by hand.

`torch.gru` sends each step of a GRU through autograd on a CPU. Here the derivatives of all steps
are computed in bulk, so that the loop back through time is three operations a step, and each
matrix gets its gradient from one large product. Measured in `benchmarks/cells.py`.

With `r, z = sigmoid(.)`, `u = U_n h_{t-1} + b_hn`, `n = tanh(x_n + r u)` and
`h_t = n + z (h_{t-1} - n)`, a gradient `g` by `h_t` gives, unit by unit,

    by x_n:  g k_n,  k_n = (1 - z)(1 - n^2)         by u:  g k_u,  k_u = k_n r
    by x_r:  g k_r,  k_r = k_n u r (1 - r)          by x_z:  g k_z,  k_z = (h_{t-1} - n) z (1 - z)

The blocks stand in the order u, r, z, n: what the recurrent matrix meets (u, r, z) and what the
input matrix meets (r, z, n) are then both in one piece.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

CHUNK_ELEMENTS = 1 << 17
"""Elements of a gate whose derivatives are computed at once, to stay in the cache."""


class FastGRU(torch.autograd.Function):
    """`(x_tbf, h_0, weight_ih, weight_hh, bias_ih, bias_hh) -> (h_tbh, last h)`."""

    @staticmethod
    def forward(
        ctx: Any,
        x_tbf: Tensor,
        h_0: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias_ih: Tensor,
        bias_hh: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """All steps, keeping the gates, `u` and the states for the backward pass."""
        time, batch, _ = x_tbf.shape
        hidden = weight_hh.shape[1]
        gates = 2 * hidden
        x = x_tbf.reshape(time * batch, -1)
        bias = bias_ih[:gates] + bias_hh[:gates]
        rz = torch.addmm(bias, x, weight_ih[:gates].t()).view(time, batch, gates)
        n = torch.addmm(bias_ih[gates:], x, weight_ih[gates:].t()).view(time, batch, hidden)
        u, h = torch.empty_like(n), torch.empty_like(n)
        to_gates, to_u, bias_u = weight_hh[:gates].t(), weight_hh[gates:].t(), bias_hh[gates:]
        h_t = h_0
        steps = zip(
            *(part.unbind(0) for part in (rz, rz[..., :hidden], rz[..., hidden:], u, n, h)),
            strict=True,
        )
        for rz_t, r_t, z_t, u_t, n_t, out in steps:
            rz_t.addmm_(h_t, to_gates).sigmoid_()
            torch.addmm(bias_u, h_t, to_u, out=u_t)
            n_t.addcmul_(r_t, u_t).tanh_()
            h_t = torch.lerp(n_t, h_t, z_t, out=out)
        ctx.save_for_backward(x_tbf, h_0, weight_ih, weight_hh, rz, n, u, h)
        return h, h_t.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gy_tbh: Tensor, g_last: Tensor) -> tuple[Tensor | None, ...]:
        """Slopes in bulk, the loop back through time, then one product for each matrix."""
        x_tbf, h_0, weight_ih, weight_hh, rz, n, u, h = ctx.saved_tensors
        time, batch, hidden = h.shape
        r, z = rz[..., :hidden], rz[..., hidden:]
        before = torch.cat([h_0[None], h[:-1]])
        k = h.new_empty(time, batch, 4, hidden)
        d = torch.empty_like(k)
        flat = d.view(time * batch, 4 * hidden)
        recurrent = torch.cat([weight_hh[2 * hidden :], weight_hh[: 2 * hidden]])
        k_t, d_t, z_t, gy = k.unbind(0), d.unbind(0), z.unbind(0), gy_tbh.unbind(0)
        urz_t = d.view(time, batch, -1)[..., : 3 * hidden].unbind(0)
        g = gy[-1] + g_last
        chunk = max(CHUNK_ELEMENTS // (batch * hidden), 1)
        for stop in range(time, 0, -chunk):
            start = max(stop - chunk, 0)
            _slopes(k[start:stop], *(part[start:stop] for part in (r, z, n, u, before)))
            for t in reversed(range(start, stop)):
                torch.mul(g.unsqueeze(1), k_t[t], out=d_t[t])
                g = torch.addcmul(gy[t - 1], g, z_t[t]) if t > 0 else g * z_t[t]
                g.addmm_(urz_t[t], recurrent)
        urz, rzn = flat[:, : 3 * hidden], flat[:, hidden:]
        g_x = (rzn @ weight_ih).view_as(x_tbf) if ctx.needs_input_grad[0] else None
        g_ih = rzn.t() @ x_tbf.reshape(time * batch, -1)
        g_hh = (urz.t() @ before.view(time * batch, hidden)).roll(2 * hidden, 0)
        g_bias = flat.sum(0)
        return g_x, g, g_ih, g_hh, g_bias[hidden:], g_bias[: 3 * hidden].roll(2 * hidden, 0)


def _slopes(k: Tensor, r: Tensor, z: Tensor, n: Tensor, u: Tensor, before: Tensor) -> None:
    """Fill `k (time, batch, 4, hidden)` with the four derivatives of the module's table."""
    k_n = torch.mul(1 - z, 1 - n * n, out=k[:, :, 3])
    k_u = torch.mul(k_n, r, out=k[:, :, 0])
    torch.mul(k_u * u, 1 - r, out=k[:, :, 1])
    torch.mul((before - n) * z, 1 - z, out=k[:, :, 2])
