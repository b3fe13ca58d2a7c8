"""GRU of the original paper, and smaller gated units."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gatewise.models.cells.base import Shapes, State
from gatewise.models.cells.staged import Product, Stage, Staged


class ChoGRU(Staged, name="gru-cho"):
    """Gated recurrent unit, reset gate applied before the recurrent product.

    `r, z = sigmoid(W x_t + U h_{t-1} + b)`, `n = tanh(W_n x_t + U_n (r h_{t-1}) + b_n)`,
    `h_t = z h_{t-1} + (1 - z) n`
    """

    blocks = ("reset", "update", "new")
    gates = ("reset", "update")
    keep_gate = "update"
    source = "Cho et al. 2014, equations 5 to 8"
    stages = (
        Stage("open", (Product("weight_hh"),), blocks=2),
        Stage("close", (Product("weight_hn"),), blocks=1),
    )

    @classmethod
    def shapes(cls, input_size: int, hidden_size: int, **_: Any) -> Shapes:
        """The candidate has a recurrent matrix of its own."""
        return _two_products(len(cls.blocks), len(cls.gates), input_size, hidden_size)

    def open(self, a: Tensor, state: State) -> State:
        """The gates."""
        (h,) = state
        r, z = torch.sigmoid(a).unbind(-2)
        return r * h, z, h

    def close(self, a: Tensor, variables: State) -> State:
        """The candidate, and the new state."""
        _, z, h = variables
        return (torch.lerp(torch.tanh(a.squeeze(-2)), h, z),)


class MGU(Staged, name="mgu"):
    """Minimal gated unit: one gate forgets, resets and updates.

    `f = sigmoid(W_f x_t + U_f h_{t-1} + b_f)`, `n = tanh(W_n x_t + U_n (f h_{t-1}) + b_n)`,
    `h_t = (1 - f) h_{t-1} + f n` (`f` near 0 keeps)
    """

    blocks = ("forget", "new")
    gates = ("forget",)
    keep_gate = "forget"
    keep_sign = -1
    source = "Zhou et al. 2016, the minimal gated unit"
    stages = (
        Stage("open", (Product("weight_hh"),), blocks=1),
        Stage("close", (Product("weight_hn"),), blocks=1),
    )

    @classmethod
    def shapes(cls, input_size: int, hidden_size: int, **_: Any) -> Shapes:
        """The candidate has a recurrent matrix of its own."""
        return _two_products(2, 1, input_size, hidden_size)

    def open(self, a: Tensor, state: State) -> State:
        """The gate."""
        (h,) = state
        f = torch.sigmoid(a.squeeze(-2))
        return f * h, f, h

    def close(self, a: Tensor, variables: State) -> State:
        """The candidate, and the new state."""
        _, f, h = variables
        return (torch.lerp(h, torch.tanh(a.squeeze(-2)), f),)


def _two_products(blocks: int, gates: int, input_size: int, hidden_size: int) -> Shapes:
    return {
        "weight_ih": (blocks * hidden_size, input_size),
        "weight_hh": (gates * hidden_size, hidden_size),
        "weight_hn": (hidden_size, hidden_size),
        "bias": (blocks * hidden_size,),
    }
