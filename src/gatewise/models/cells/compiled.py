"""The loops through time of RNN, LSTM and GRU, compiled: one product and one sweep a step.

What torch does step by step in a dozen small operations is here one matrix product on buffers that
are there already, and one pass over the units that leaves the gates' values behind for the way
back. `gatewise.models.cells.sequences` puts the products over all steps around them.

Products are SciPy's BLAS, by numba's `np.dot`. Numba compiles for float32 when this module is
imported, once on a machine (its cache lies beside this file), and for float64 when a test asks.
Nothing else imports it before a sequence is run.

Shapes: `t` steps, `b` sequences, `h` units; a number before it counts blocks of units, so
`gates_tb3h` is `(t, b, 3 * h)`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numba as nb
import numpy as np
import scipy.linalg  # noqa: F401  # loads the BLAS that compiled products call
from numba.extending import overload
from threadpoolctl import LibController, ThreadpoolController

# Sums may be fused into multiply-adds, in which order is fixed; no value here is NaN or infinite
# unless the weights are.
_MATHS = {"contract", "nsz"}
_OPTIONS: dict[str, Any] = {"cache": True, "fastmath": _MATHS, "error_model": "numpy"}

Array = np.ndarray


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Have BLAS use `count` threads within the block; what it had is given back at its end."""
    before = [(library, library.get_num_threads()) for library in _blas()]
    changed = [(library, threads) for library, threads in before if threads != count]
    for library, _ in changed:
        library.set_num_threads(count)
    try:
        yield
    finally:
        for library, threads in changed:
            library.set_num_threads(threads)


@functools.cache
def _blas() -> list[LibController]:
    return [lib for lib in ThreadpoolController().lib_controllers if lib.user_api == "blas"]


def tanh(x: float) -> float:
    """Hyperbolic tangent, for compiled code."""
    raise NotImplementedError


def sigmoid(x: float) -> float:
    """Logistic function, for compiled code."""
    raise NotImplementedError


@overload(tanh, jit_options={"fastmath": _MATHS})
def _tanh(x: Any) -> Any:
    """A quotient of polynomials in single precision, as vectors can have it.

    Coefficients of Eigen's `generic_fast_tanh_float` (degrees 13 and 6, within a few units in the
    last place); beyond 7.9 the function is 1 in single precision but for its last digits.
    """
    if x != nb.float32:

        def exact(x: Any) -> Any:
            return np.tanh(x)

        return exact
    f = np.float32

    def quotient(x: Any) -> Any:
        x = min(max(x, f(-7.90531110763549805)), f(7.90531110763549805))
        s = x * x
        p = f(-2.76076847742355e-16) * s + f(2.00018790482477e-13)
        p = p * s + f(-8.60467152213735e-11)
        p = p * s + f(5.12229709037114e-08)
        p = p * s + f(1.48572235717979e-05)
        p = p * s + f(6.37261928875436e-04)
        p = p * s + f(4.89352455891786e-03)
        q = f(1.19825839466702e-06) * s + f(1.18534705686654e-04)
        q = q * s + f(2.26843463243900e-03)
        q = q * s + f(4.89352518554385e-03)
        return x * p / q

    return quotient


@overload(sigmoid, jit_options={"fastmath": _MATHS})
def _sigmoid(x: Any) -> Any:
    half = np.float32(0.5) if x == nb.float32 else np.float64(0.5)

    def logistic(x: Any) -> Any:
        return half + half * tanh(half * x)

    return logistic


# --- vanilla RNN -----------------------------------------------------------------------------


@nb.njit(**_OPTIONS)
def rnn_forward(y_tbh: Array, h_bh: Array, recurrent_hh: Array, product_bh: Array) -> None:
    """Turn projections `y` into states, in place; `recurrent` is the transposed weight."""
    before = h_bh
    for t in range(len(y_tbh)):
        np.dot(before, recurrent_hh, product_bh)
        for b in range(len(product_bh)):
            y, product = y_tbh[t, b], product_bh[b]
            for j in range(len(y)):
                y[j] = tanh(y[j] + product[j])
        before = y_tbh[t]


@nb.njit(**_OPTIONS)
def rnn_backward(
    gy_tbh: Array, g_bh: Array, y_tbh: Array, recurrent_hh: Array, d_tbh: Array
) -> None:
    """Gradients `d` by the pre-activations; `g` becomes that by the first state."""
    one = y_tbh.dtype.type(1)
    for t in range(len(y_tbh) - 1, -1, -1):
        for b in range(len(g_bh)):
            gy, g, y, d = gy_tbh[t, b], g_bh[b], y_tbh[t, b], d_tbh[t, b]
            for j in range(len(g)):
                d[j] = (g[j] + gy[j]) * (one - y[j] * y[j])
        np.dot(d_tbh[t], recurrent_hh, g_bh)


# --- LSTM: blocks input, forget, new, output -----------------------------------------------------


@nb.njit(**_OPTIONS)
def lstm_forward(
    gates_tb4h: Array,
    h_bh: Array,
    c_bh: Array,
    recurrent_h4h: Array,
    y_tbh: Array,
    c_tbh: Array,
    product_b4h: Array,
) -> None:
    """Turn projections into gates, in place, and fill the outputs and cell states."""
    h_before, c_before = h_bh, c_bh
    units = h_bh.shape[1]
    for t in range(len(y_tbh)):
        np.dot(h_before, recurrent_h4h, product_b4h)
        for b in range(len(h_bh)):
            gates, product, before = gates_tb4h[t, b], product_b4h[b], c_before[b]
            c, y = c_tbh[t, b], y_tbh[t, b]
            for j in range(2 * units):
                gates[j] = sigmoid(gates[j] + product[j])
            for j in range(2 * units, 3 * units):
                gates[j] = tanh(gates[j] + product[j])
            for j in range(3 * units, 4 * units):
                gates[j] = sigmoid(gates[j] + product[j])
            for j in range(units):
                c[j] = gates[units + j] * before[j] + gates[j] * gates[2 * units + j]
                y[j] = gates[3 * units + j] * tanh(c[j])
        h_before, c_before = y_tbh[t], c_tbh[t]


@nb.njit(**_OPTIONS)
def lstm_backward(
    gy_tbh: Array,
    g_bh: Array,
    gc_bh: Array,
    gates_tb4h: Array,
    c_tbh: Array,
    c_bh: Array,
    recurrent_4hh: Array,
    d_tb4h: Array,
) -> None:
    """Gradients `d` by the pre-activations; `g` and `gc` become those by the first states."""
    one, units = c_tbh.dtype.type(1), c_bh.shape[1]
    for t in range(len(gy_tbh) - 1, -1, -1):
        c_before = c_tbh[t - 1] if t > 0 else c_bh
        for b in range(len(g_bh)):
            gy, g, gc = gy_tbh[t, b], g_bh[b], gc_bh[b]
            gates, before, c, d = gates_tb4h[t, b], c_before[b], c_tbh[t, b], d_tb4h[t, b]
            for j in range(units):
                i, f = gates[j], gates[units + j]
                n, o = gates[2 * units + j], gates[3 * units + j]
                g_y, s = g[j] + gy[j], tanh(c[j])
                g_c = gc[j] + g_y * o * (one - s * s)
                d[j] = g_c * n * i * (one - i)
                d[units + j] = g_c * before[j] * f * (one - f)
                d[2 * units + j] = g_c * i * (one - n * n)
                d[3 * units + j] = g_y * s * o * (one - o)
                gc[j] = g_c * f
        np.dot(d_tb4h[t], recurrent_4hh, g_bh)


# --- GRU: blocks reset, update, new; on the way back u (what is reset), reset, update ------------


@nb.njit(**_OPTIONS)
def gru_forward(
    gates_tb3h: Array,
    h_bh: Array,
    recurrent_h3h: Array,
    bias_h: Array,
    y_tbh: Array,
    u_tbh: Array,
    product_b3h: Array,
) -> None:
    """Turn projections into gates, in place, and fill the outputs and `u = U_n h + b_hn`."""
    before = h_bh
    units = h_bh.shape[1]
    for t in range(len(y_tbh)):
        np.dot(before, recurrent_h3h, product_b3h)
        for b in range(len(h_bh)):
            gates, product, old = gates_tb3h[t, b], product_b3h[b], before[b]
            y, u = y_tbh[t, b], u_tbh[t, b]
            for j in range(2 * units):
                gates[j] = sigmoid(gates[j] + product[j])
            for j in range(units):
                u[j] = product[2 * units + j] + bias_h[j]
                n = tanh(gates[2 * units + j] + gates[j] * u[j])
                gates[2 * units + j] = n
                y[j] = n + gates[units + j] * (old[j] - n)
        before = y_tbh[t]


@nb.njit(**_OPTIONS)
def gru_backward(
    gy_tbh: Array,
    g_bh: Array,
    gates_tb3h: Array,
    u_tbh: Array,
    y_tbh: Array,
    h_bh: Array,
    recurrent_3hh: Array,
    d_tb3h: Array,
    d_new_tbh: Array,
    product_bh: Array,
) -> None:
    """Gradients by `u` and the gates (`d`) and by the new state's pre-activation (`d_new`)."""
    one, units = y_tbh.dtype.type(1), h_bh.shape[1]
    for t in range(len(gy_tbh) - 1, -1, -1):
        before = y_tbh[t - 1] if t > 0 else h_bh
        for b in range(len(g_bh)):
            gy, g, gates, u = gy_tbh[t, b], g_bh[b], gates_tb3h[t, b], u_tbh[t, b]
            old, d, d_new = before[b], d_tb3h[t, b], d_new_tbh[t, b]
            for j in range(units):
                r, z, n = gates[j], gates[units + j], gates[2 * units + j]
                g_y = g[j] + gy[j]
                by_new = g_y * (one - z) * (one - n * n)
                by_u = by_new * r
                d_new[j] = by_new
                d[j] = by_u
                d[units + j] = by_u * u[j] * (one - r)
                d[2 * units + j] = g_y * (old[j] - n) * z * (one - z)
                g[j] = g_y * z
        np.dot(d_tb3h[t], recurrent_3hh, product_bh)
        for b in range(len(g_bh)):
            g, product = g_bh[b], product_bh[b]
            for j in range(units):
                g[j] += product[j]


def _compile() -> None:
    """For single precision, here and now, so that processes forked from this one share it."""
    sequence, batch, vector = nb.float32[:, :, ::1], nb.float32[:, ::1], nb.float32[::1]
    for kernel, shapes in (
        (rnn_forward, "tbbb"),
        (rnn_backward, "tbtbt"),
        (lstm_forward, "tbbbttb"),
        (lstm_backward, "tbbttbbt"),
        (gru_forward, "tbbvttb"),
        (gru_backward, "tbtttbbttb"),
    ):
        of = {"t": sequence, "b": batch, "v": vector}
        kernel.compile(tuple(of[shape] for shape in shapes))


_compile()
