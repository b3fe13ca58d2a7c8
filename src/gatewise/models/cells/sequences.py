"""RNN, LSTM and GRU over a whole sequence on a CPU, with backward passes written by hand.

The loop through time is compiled (`gatewise.models.cells.compiled`); what does not hang on the step
before it is done for all steps at once: the input's projection before the loop, the gradients of
input and matrices after it, one large product each. Nothing goes through autograd step by step.

All products are compiled there, too: they give the same bits on any processor and with any number
of threads, as those of a BLAS do not, and are as fast.

With `g` the gradient by an output and all products unit by unit, the derivatives are

    RNN   y = tanh(a):                                  by a: g (1 - y^2)
    LSTM  c = f c' + i n, y = o tanh(c):                by c: g o (1 - tanh^2 c) + what c itself got
    GRU   n = tanh(x_n + r u), y = n + z (y' - n):      by x_n: g (1 - z)(1 - n^2),  by u: that r
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

SHARE = 1 << 24
"""Multiply-adds that are worth a thread: some 0.2 ms."""


def usable(x_tbf: Tensor, h_0: Tensor) -> bool:
    """Whether the compiled loops can run these: on a CPU, in one precision that they know."""
    return (
        x_tbf.device.type == "cpu"
        and x_tbf.dtype == h_0.dtype
        and x_tbf.dtype in (torch.float32, torch.float64)
        and len(x_tbf) > 0
        and _compiler()
    )


@functools.cache
def _compiler() -> bool:
    """A served model may stand where only what inference needs is installed."""
    return importlib.util.find_spec("numba") is not None


class RNNSequence(torch.autograd.Function):
    """`(x_tbf, h_0, weight_ih, weight_hh, bias_ih, bias_hh) -> (y_tbh, last h)`."""

    @staticmethod
    def forward(ctx: Any, x_tbf: Tensor, h_0: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
        """All steps, keeping the outputs."""
        from gatewise.models.cells import compiled

        weight_ih, weight_hh, bias_ih, bias_hh = weights
        y = _projected(x_tbf, weight_ih, bias_ih + bias_hh)
        h_0 = h_0.contiguous()
        product = torch.empty_like(h_0)
        _loop(compiled.rnn_forward, y, h_0, weight_hh, product)
        ctx.save_for_backward(x_tbf, h_0, weight_ih, weight_hh, y)
        return y, y[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gy_tbh: Tensor, g_last: Tensor) -> tuple[Tensor | None, ...]:
        """The loop back, then one product for each matrix."""
        from gatewise.models.cells import compiled

        x_tbf, h_0, weight_ih, weight_hh, y = ctx.saved_tensors
        g, d = g_last.clone(memory_format=torch.contiguous_format), torch.empty_like(y)
        _loop(compiled.rnn_backward, gy_tbh, g, y, weight_hh, d)
        g_bias = d.sum((0, 1))
        return (
            _g_input(ctx, d, weight_ih),
            g,
            _g_weight(d, x_tbf),
            _g_weight(d, _before(h_0, y)),
            g_bias,
            g_bias,
        )


class LSTMSequence(torch.autograd.Function):
    """`(x_tbf, h_0, c_0, weight_ih, weight_hh, bias_ih, bias_hh) -> (y_tbh, last h, last c)`."""

    @staticmethod
    def forward(
        ctx: Any, x_tbf: Tensor, h_0: Tensor, c_0: Tensor, *weights: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """All steps, keeping the gates and the cell states."""
        from gatewise.models.cells import compiled

        weight_ih, weight_hh, bias_ih, bias_hh = weights
        gates = _projected(x_tbf, weight_ih, bias_ih + bias_hh)
        h_0, c_0 = h_0.contiguous(), c_0.contiguous()
        y = gates.new_empty(*gates.shape[:2], weight_hh.shape[1])
        c = torch.empty_like(y)
        _loop(compiled.lstm_forward, gates, h_0, c_0, weight_hh, y, c, torch.empty_like(gates[0]))
        ctx.save_for_backward(x_tbf, h_0, c_0, weight_ih, weight_hh, gates, y, c)
        return y, y[-1].clone(), c[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, gy_tbh: Tensor, g_last: Tensor, gc_last: Tensor
    ) -> tuple[Tensor | None, ...]:
        """The loop back, then one product for each matrix."""
        from gatewise.models.cells import compiled

        x_tbf, h_0, c_0, weight_ih, weight_hh, gates, y, c = ctx.saved_tensors
        g = g_last.clone(memory_format=torch.contiguous_format)
        gc = gc_last.clone(memory_format=torch.contiguous_format)
        d = torch.empty_like(gates)
        _loop(compiled.lstm_backward, gy_tbh, g, gc, gates, c, c_0, weight_hh, d)
        g_bias = d.sum((0, 1))
        return (
            _g_input(ctx, d, weight_ih),
            g,
            gc,
            _g_weight(d, x_tbf),
            _g_weight(d, _before(h_0, y)),
            g_bias,
            g_bias,
        )


class GRUSequence(torch.autograd.Function):
    """`(x_tbf, h_0, weight_ih, weight_hh, bias_ih, bias_hh) -> (y_tbh, last h)`."""

    @staticmethod
    def forward(ctx: Any, x_tbf: Tensor, h_0: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
        """All steps, keeping the gates, the outputs and what the reset gate acts on."""
        from gatewise.models.cells import compiled

        weight_ih, weight_hh, bias_ih, bias_hh = weights
        gated = 2 * weight_hh.shape[1]
        # The new state's recurrent bias stands inside the reset gate's product.
        bias = torch.cat([bias_ih[:gated] + bias_hh[:gated], bias_ih[gated:]])
        gates = _projected(x_tbf, weight_ih, bias)
        h_0 = h_0.contiguous()
        y = gates.new_empty(*gates.shape[:2], weight_hh.shape[1])
        u = torch.empty_like(y)
        _loop(
            compiled.gru_forward,
            gates,
            h_0,
            weight_hh,
            bias_hh[gated:],
            y,
            u,
            torch.empty_like(gates[0]),
        )
        ctx.save_for_backward(x_tbf, h_0, weight_ih, weight_hh, gates, y, u)
        return y, y[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gy_tbh: Tensor, g_last: Tensor) -> tuple[Tensor | None, ...]:
        """The loop back, then one product for each matrix."""
        from gatewise.models.cells import compiled

        x_tbf, h_0, weight_ih, weight_hh, gates, y, u = ctx.saved_tensors
        units = weight_hh.shape[1]
        g = g_last.clone(memory_format=torch.contiguous_format)
        d, d_new = torch.empty_like(gates), torch.empty_like(y)
        # On the way back the blocks stand in the order u, reset, update.
        recurrent = weight_hh.roll(units, 0)
        _loop(
            compiled.gru_backward,
            gy_tbh,
            g,
            gates,
            u,
            y,
            h_0,
            recurrent,
            d,
            d_new,
            torch.empty_like(h_0),
        )
        d_gates = d[..., units:]
        g_ih = torch.cat([_g_weight(d_gates, x_tbf), _g_weight(d_new, x_tbf)])
        g_hh = _g_weight(d, _before(h_0, y)).roll(-units, 0)
        g_bias = d.sum((0, 1))
        g_x = None
        if ctx.needs_input_grad[0]:
            g_x = product(d_gates.flatten(0, 1), weight_ih[: 2 * units])
            g_x.add_(product(d_new.flatten(0, 1), weight_ih[2 * units :]))
            g_x = g_x.view(x_tbf.shape)
        g_bias_ih = torch.cat([g_bias[units:], d_new.sum((0, 1))])
        return g_x, g, g_ih, g_hh, g_bias_ih, g_bias.roll(-units)


def _loop(loop: Callable[..., None], *tensors: Tensor) -> None:
    """Run a compiled loop on contiguous arrays that share memory with tensors which were so."""
    loop(*(tensor.detach().contiguous().numpy() for tensor in tensors))


def product(a: Tensor, b: Tensor) -> Tensor:
    """The matrix product on a CPU, by as many threads as torch has if that is worth it.

    Its bits hang neither on the threads nor on the processor.
    """
    from gatewise.models.cells import compiled

    a_mk, b_kn = a.detach().numpy(), b.detach().numpy()
    c_mn = np.empty((len(a_mk), b_kn.shape[1]), a_mk.dtype)
    threads = min(torch.get_num_threads(), a_mk.size * b_kn.shape[1] // SHARE)
    if threads < 2:
        compiled.product(a_mk, b_kn, c_mn)
    else:
        rows = -(-len(a_mk) // threads)
        with ThreadPoolExecutor(threads) as pool:
            parts = [slice(start, start + rows) for start in range(0, len(a_mk), rows)]
            list(pool.map(lambda part: compiled.product(a_mk[part], b_kn, c_mn[part]), parts))
    return torch.from_numpy(c_mn)


def _projected(x_tbf: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """`W x + b` of all steps, `(time, batch, rows)`, in memory of its own."""
    time, batch, features = x_tbf.shape
    flat = product(x_tbf.reshape(time * batch, features), weight.t())
    return flat.add_(bias).view(time, batch, -1)


def _before(h_0: Tensor, y_tbh: Tensor) -> Tensor:
    """The state that each step met."""
    return torch.cat([h_0[None], y_tbh[:-1]])


def _g_weight(d_tbr: Tensor, v_tbf: Tensor) -> Tensor:
    """Gradient of a matrix that multiplies `v`: one product over all steps, `(rows, features)`."""
    return product(d_tbr.flatten(0, 1).t(), v_tbf.flatten(0, 1))


def _g_input(ctx: Any, d_tbr: Tensor, weight: Tensor) -> Tensor | None:
    if not ctx.needs_input_grad[0]:
        return None
    return product(d_tbr.flatten(0, 1), weight).view(*d_tbr.shape[:2], -1)
