"""LSTMs that differ in more than a gate: projected, and with exponential gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gatewise.errors import GatewiseError
from gatewise.models.cells.base import Shapes, State
from gatewise.models.cells.staged import Product, Stage, Staged


class ProjectedLSTM(Staged, name="lstm-projected"):
    """LSTM whose hidden state is a linear projection of its output.

    As `lstm`, but `h_t = P (o tanh(c_t))` with `P (projection, hidden)`; half the width if
    `projection` is not given.
    """

    blocks = ("input", "forget", "output", "new")
    gates = ("input", "forget", "output")
    states = ("h", "c")
    keep_gate = "forget"
    source = "Sak et al. 2014, without peepholes, as torch.nn.LSTM(proj_size)"
    options = ("projection",)
    stages = (
        Stage("update", (Product("weight_hh"),), blocks=4),
        Stage("shrink", (Product("weight_hr"),), blocks=1, projected=False),
    )

    @classmethod
    def check_options(cls, hidden_size: int, **options: Any) -> None:
        """Refuse a projection that widens."""
        super().check_options(hidden_size, **options)
        projection = options.get("projection", 1)
        if projection > hidden_size:
            raise GatewiseError(
                f"projection {projection} is wider than the hidden state ({hidden_size}); "
                f"it must lie between 1 and {hidden_size}"
            )

    def __init__(self, input_size: int, hidden_size: int, **options: Any) -> None:
        super().__init__(input_size, hidden_size, **options)
        self.projection = self.output_size(hidden_size, **options)

    @classmethod
    def output_size(cls, hidden_size: int, **options: Any) -> int:
        """Width of the projection."""
        return int(options.get("projection", max(hidden_size // 2, 1)))

    @classmethod
    def shapes(cls, input_size: int, hidden_size: int, **options: Any) -> Shapes:
        """The recurrent matrix sees the projection, which has a matrix of its own."""
        width = cls.output_size(hidden_size, **options)
        return {
            "weight_ih": (4 * hidden_size, input_size),
            "weight_hh": (4 * hidden_size, width),
            "weight_hr": (width, hidden_size),
            "bias": (4 * hidden_size,),
        }

    def state_sizes(self) -> tuple[int, ...]:
        """The hidden state is as wide as the projection."""
        return self.projection, self.hidden_size

    def update(self, a: Tensor, state: State) -> State:
        """Up to the projection."""
        i, f, o, z = a.unbind(-2)
        c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(z)
        return torch.sigmoid(o) * torch.tanh(c), c

    def shrink(self, a: Tensor, variables: State) -> State:
        """The projection itself was the product."""
        return a.squeeze(-2), variables[1]


class SLSTM(Staged, name="slstm"):
    """LSTM with an exponential input gate, a normaliser and a stabiliser.

    `m_t = max(log f + m_{t-1}, i~)`, `i' = exp(i~ - m_t)`, `f' = exp(log f + m_{t-1} - m_t)`,
    `c_t = f' c_{t-1} + i' z`, `n_t = f' n_{t-1} + i'`, `h_t = o c_t / n_t` with `f`, `o`
    sigmoid and `z` tanh of `W x_t + R h_{t-1} + b`; one head, so `R` is full.

    The stabiliser scales `c` and `n` alike and never changes `h`: no gradient goes through it.
    """

    blocks = ("input", "forget", "output", "new")
    gates = ("input", "forget", "output")
    states = ("h", "c", "n", "m")
    keep_gate = "forget"
    source = "Beck et al. 2024 (xLSTM), equations 8 to 17, sigmoid forget gate, one head"
    stages = (Stage("update", (Product("weight_hh"),), blocks=4),)

    def initial_state(self, batch: int, like: Tensor | None = None) -> State:
        """Nothing remembered yet: the stabiliser, a logarithm, starts at minus infinity."""
        h, c, n, m = super().initial_state(batch, like)
        return h, c, n, torch.full_like(m, -torch.inf)

    def started(self, carried: Sequence[Tensor]) -> State:
        """As after one step whose input gate was one: else nothing of `c` would be kept."""
        h, c = carried
        return h, c, torch.ones_like(c), torch.zeros_like(c)

    def update(self, a: Tensor, state: State) -> State:
        """See the class."""
        _, c, n, m = state
        i, f, o, z = a.unbind(-2)
        kept = F.logsigmoid(f) + m.detach()
        m = torch.maximum(kept, i).detach()
        i, f = torch.exp(i - m), torch.exp(kept - m)
        c = f * c + i * torch.tanh(z)
        n = f * n + i
        return torch.sigmoid(o) * c / n, c, n, m
