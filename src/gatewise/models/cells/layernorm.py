"""LSTM and GRU with layer normalisation inside the recurrence.

Where the paper adds several biases only one is kept: more would be redundant.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gatewise.models.cells.base import Cell, Shapes, State


class LayerNormLSTM(Cell, name="lstm-layernorm"):
    """LSTM with normalised products and cell state.

    `i, f, o = sigmoid(.)`, `z = tanh(.)` of `LN(W x_t) + LN(U h_{t-1}) + b`, each norm over all
    four blocks; `c_t = f c_{t-1} + i z`, `h_t = o tanh(LN(c_t))`
    """

    blocks = ("input", "forget", "output", "new")
    gates = ("input", "forget", "output")
    states = ("h", "c")
    keep_gate = "forget"
    source = "Ba et al. 2016, equations 20 to 22"

    weight_ih: Tensor
    weight_hh: Tensor
    gain_ih: Tensor
    gain_hh: Tensor
    gain_c: Tensor
    bias: Tensor
    bias_c: Tensor

    @classmethod
    def shapes(cls, input_size: int, hidden_size: int, **_: Any) -> Shapes:
        """A gain for each norm; biases where they are not redundant."""
        rows = 4 * hidden_size
        return {
            "weight_ih": (rows, input_size),
            "weight_hh": (rows, hidden_size),
            "bias": (rows,),
            "gain_ih": (rows,),
            "gain_hh": (rows,),
            "gain_c": (hidden_size,),
            "bias_c": (hidden_size,),
        }

    def project(self, x: Tensor) -> Tensor:
        """`LN(W x) + b`."""
        return F.layer_norm(
            F.linear(x, self.weight_ih), self.gain_ih.shape, self.gain_ih, self.bias
        )

    def step(self, projected_t: Tensor, state: State) -> tuple[Tensor, State]:
        """See the class."""
        h, c = state
        product = F.layer_norm(F.linear(h, self.weight_hh), self.gain_hh.shape, self.gain_hh)
        a = projected_t + product
        gates = 3 * self.hidden_size
        i, f, o = torch.sigmoid(a[..., :gates]).chunk(3, -1)
        c = torch.addcmul(f * c, i, torch.tanh(a[..., gates:]))
        h = o * torch.tanh(F.layer_norm(c, self.gain_c.shape, self.gain_c, self.bias_c))
        return h, (h, c)


class LayerNormGRU(Cell, name="gru-layernorm"):
    """GRU with normalised products, reset gate applied after the product.

    `r, z = sigmoid(LN(W x_t) + LN(U h_{t-1}) + b)`,
    `n = tanh(LN(W_n x_t) + b_n + r (LN(U_n h_{t-1}) + b_hn))`, `h_t = (1 - z) h_{t-1} + z n`
    """

    blocks = ("reset", "update", "new")
    gates = ("reset", "update")
    keep_gate = "update"
    keep_sign = -1
    source = "Ba et al. 2016, supplementary material, equations for the GRU"

    weight_ih: Tensor
    weight_hh: Tensor
    gain_ih: Tensor
    gain_hh: Tensor
    bias: Tensor
    bias_hn: Tensor

    @classmethod
    def shapes(cls, input_size: int, hidden_size: int, **_: Any) -> Shapes:
        """Gains for four norms; biases where they are not redundant."""
        rows = 3 * hidden_size
        return {
            "weight_ih": (rows, input_size),
            "weight_hh": (rows, hidden_size),
            "bias": (rows,),
            "bias_hn": (hidden_size,),
            "gain_ih": (rows,),
            "gain_hh": (rows,),
        }

    def project(self, x: Tensor) -> Tensor:
        """`LN(W x) + b`, gates and candidate normalised apart."""
        return torch.cat(self._norms(F.linear(x, self.weight_ih), self.gain_ih, self.bias), -1)

    def step(self, projected_t: Tensor, state: State) -> tuple[Tensor, State]:
        """See the class."""
        (h,) = state
        gates = 2 * self.hidden_size
        bias = F.pad(self.bias_hn, (gates, 0))
        product, product_n = self._norms(F.linear(h, self.weight_hh), self.gain_hh, bias)
        r, z = torch.sigmoid(projected_t[..., :gates] + product).chunk(2, -1)
        n = torch.tanh(torch.addcmul(projected_t[..., gates:], r, product_n))
        h = torch.lerp(h, n, z)
        return h, (h,)

    def _norms(self, a: Tensor, gain: Tensor, bias: Tensor) -> list[Tensor]:
        gates, candidate = slice(0, 2 * self.hidden_size), slice(2 * self.hidden_size, None)
        return [
            F.layer_norm(a[..., rows], gain[rows].shape, gain[rows], bias[rows])
            for rows in (gates, candidate)
        ]
