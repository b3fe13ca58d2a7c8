"""The three cells that `torch.nn` has, with its parameters, gate order and fused kernels.

Names, shapes and the two (redundant, summed) bias vectors are those of `torch.nn`, so that
weights can be exchanged and "an LSTM of width 128" has the size that people expect.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gatewise.models.cells.base import Cell, Shapes, State
from gatewise.models.cells.fast_gru import FastGRU
from gatewise.models.cells.sequences import GRUSequence, LSTMSequence, RNNSequence, usable


class Stock(Cell):
    """What the three share: one weight matrix for the input, one for the state, two biases."""

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor
    bias_hh: Tensor

    @classmethod
    def shapes(cls, input_size: int, hidden_size: int, **_: Any) -> Shapes:
        """As `torch.nn` has them, without its `_l0`."""
        rows = len(cls.blocks) * hidden_size
        return {
            "weight_ih": (rows, input_size),
            "weight_hh": (rows, hidden_size),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
        }

    def project(self, x: Tensor) -> Tensor:
        """`W x + b_ih` for all blocks at once."""
        return F.linear(x, self.weight_ih, self.bias_ih)

    def _weights(self) -> list[Tensor]:
        return [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh]


class RNN(Stock, name="rnn"):
    """Vanilla recurrent network with tanh.

    `h_t = tanh(W x_t + b_ih + U h_{t-1} + b_hh)`
    """

    blocks = ("new",)
    source = "Elman 1990, as torch.nn.RNN"

    def step(self, projected_t: Tensor, state: State) -> tuple[Tensor, State]:
        """See the class."""
        (h,) = state
        h = torch.tanh(projected_t + F.linear(h, self.weight_hh, self.bias_hh))
        return h, (h,)

    def fused(self, x_tbf: Tensor, state: State) -> tuple[Tensor, State]:
        """Our compiled loop on a CPU, torch's kernel elsewhere."""
        if usable(x_tbf, state[0]):
            y, last = RNNSequence.apply(x_tbf, state[0], *self._weights())
            return y, (last,)
        y, h = torch.rnn_tanh(
            x_tbf, state[0][None], self._weights(), True, 1, 0.0, _train(), False, False
        )
        return y, (h[0],)


class LSTM(Stock, name="lstm"):
    """Long short-term memory with a forget gate and no peepholes.

    `i, f, o = sigmoid(.)`, `g = tanh(.)` of `W x_t + b_ih + U h_{t-1} + b_hh`;
    `c_t = f c_{t-1} + i g`, `h_t = o tanh(c_t)`
    """

    blocks = ("input", "forget", "new", "output")
    gates = ("input", "forget", "output")
    states = ("h", "c")
    keep_gate = "forget"
    source = "Hochreiter & Schmidhuber 1997, forget gate of Gers et al. 2000, as torch.nn.LSTM"

    def step(self, projected_t: Tensor, state: State) -> tuple[Tensor, State]:
        """See the class."""
        h, c = state
        i, f, g, o = (projected_t + F.linear(h, self.weight_hh, self.bias_hh)).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, (h, c)

    def fused(self, x_tbf: Tensor, state: State) -> tuple[Tensor, State]:
        """Our compiled loop on a CPU, torch's kernel elsewhere (cuDNN on an NVIDIA device)."""
        h, c = state
        if usable(x_tbf, h):
            y, h, c = LSTMSequence.apply(x_tbf, h, c, *self._weights())
            return y, (h, c)
        y, h, c = torch.lstm(
            x_tbf, (h[None], c[None]), self._weights(), True, 1, 0.0, _train(), False, False
        )
        return y, (h[0], c[0])


class GRU(Stock, name="gru"):
    """Gated recurrent unit, reset gate applied after the recurrent product.

    `r, z = sigmoid(W x_t + b_ih + U h_{t-1} + b_hh)`,
    `n = tanh(W_n x_t + b_in + r (U_n h_{t-1} + b_hn))`, `h_t = (1 - z) n + z h_{t-1}`
    (`z` near 1 keeps).
    """

    blocks = ("reset", "update", "new")
    gates = ("reset", "update")
    keep_gate = "update"
    source = "Cho et al. 2014, reset after the product as in cuDNN and torch.nn.GRU"

    def step(self, projected_t: Tensor, state: State) -> tuple[Tensor, State]:
        """See the class."""
        (h,) = state
        r_x, z_x, n_x = projected_t.chunk(3, -1)
        r_h, z_h, n_h = F.linear(h, self.weight_hh, self.bias_hh).chunk(3, -1)
        r = torch.sigmoid(r_x + r_h)
        z = torch.sigmoid(z_x + z_h)
        n = torch.tanh(n_x + r * n_h)
        h = n + z * (h - n)
        return h, (h,)

    def fused(self, x_tbf: Tensor, state: State) -> tuple[Tensor, State]:
        """Our compiled loop on a CPU, torch's kernel (cuDNN) elsewhere."""
        (h,) = state
        if usable(x_tbf, h):
            y, last = GRUSequence.apply(x_tbf, h, *self._weights())
            return y, (last,)
        if x_tbf.device.type != "cpu":
            y, last = torch.gru(
                x_tbf, h[None], self._weights(), True, 1, 0.0, _train(), False, False
            )
            return y, (last[0],)
        y, last = FastGRU.apply(x_tbf, h, *self._weights())
        return y, (last,)


def _train() -> bool:
    # The kernels keep what a backward pass needs only in training mode; whether one can
    # follow is autograd's business, not the module's.
    return torch.is_grad_enabled()
