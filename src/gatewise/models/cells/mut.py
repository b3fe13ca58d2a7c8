"""The three mutants that an evolutionary search over gated cells ended with.

They use the bare input `x_t` where others use a product, so it must be as wide as the state.
Where it is not, a learned matrix `E` maps it there first, as the paper's networks embed theirs;
`x` below is then `E x_t`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gatewise.models.cells.base import Shapes, State
from gatewise.models.cells.staged import Product, Stage, Staged


class _Mutant(Staged):
    """What the three share: names, shapes and the way the new state is mixed."""

    blocks = ("reset", "update", "new")
    gates = ("reset", "update")
    keep_gate = "update"
    keep_sign = -1
    weighed: ClassVar[tuple[str, ...]]
    """Blocks to which the input comes through a matrix; to the others it comes bare."""
    recurrent: ClassVar[dict[str, int]]
    """Recurrent matrices and how many blocks of rows they have."""

    @classmethod
    def shapes(cls, input_size: int, hidden_size: int, **_: Any) -> Shapes:
        """`E` only where widths differ."""
        embed: Shapes = {"weight_ix": (hidden_size, input_size)}
        recurrent: Shapes = {
            name: (blocks * hidden_size, hidden_size) for name, blocks in cls.recurrent.items()
        }
        return (
            (embed if input_size != hidden_size else {})
            | {"weight_ih": (len(cls.weighed) * hidden_size, hidden_size)}
            | recurrent
            | {"bias": (len(cls.blocks) * hidden_size,)}
        )

    def project(self, x: Tensor) -> Tensor:
        """Each block's share of the input, bare or weighed."""
        if self.input_size != self.hidden_size:
            x = F.linear(x, self.weight_ix)  # type: ignore[arg-type]
        parts = dict(
            zip(
                self.weighed,
                F.linear(x, self.weight_ih).chunk(len(self.weighed), -1),
                strict=True,
            )
        )
        return torch.cat([parts.get(b, self.bare(x)) for b in self.blocks], -1) + self.bias

    def bare(self, x: Tensor) -> Tensor:
        """What becomes of the input that meets no matrix."""
        return x

    def close(self, a: Tensor, variables: State) -> State:
        """`h_t = n z + h_{t-1} (1 - z)`."""
        _, z, h = variables
        return (torch.lerp(h, torch.tanh(a.squeeze(-2)), z),)


class MUT1(_Mutant, name="mut1"):
    """Mutant whose update gate sees the input alone.

    `z = sigmoid(W_z x + b_z)`, `r = sigmoid(W_r x + U_r h_{t-1} + b_r)`,
    `n = tanh(U_n (r h_{t-1}) + tanh(x) + b_n)`, `h_t = n z + h_{t-1} (1 - z)`
    """

    source = "Jozefowicz et al. 2015, MUT1"
    weighed = ("reset", "update")
    recurrent: ClassVar[dict[str, int]] = {"weight_hh": 1, "weight_hn": 1}
    stages = (
        Stage("open", (Product("weight_hh"),), blocks=2),
        Stage("close", (Product("weight_hn"),), blocks=1),
    )

    def bare(self, x: Tensor) -> Tensor:
        """Squashed."""
        return torch.tanh(x)

    def open(self, a: Tensor, state: State) -> State:
        """The gates."""
        (h,) = state
        r, z = torch.sigmoid(a).unbind(-2)
        return r * h, z, h


class MUT2(_Mutant, name="mut2"):
    """Mutant whose reset gate sees the bare input.

    `z = sigmoid(W_z x + U_z h_{t-1} + b_z)`, `r = sigmoid(x + U_r h_{t-1} + b_r)`,
    `n = tanh(U_n (r h_{t-1}) + W_n x + b_n)`, `h_t = n z + h_{t-1} (1 - z)`
    """

    source = "Jozefowicz et al. 2015, MUT2"
    weighed = ("update", "new")
    recurrent: ClassVar[dict[str, int]] = {"weight_hh": 2, "weight_hn": 1}
    stages = (
        Stage("open", (Product("weight_hh"),), blocks=2),
        Stage("close", (Product("weight_hn"),), blocks=1),
    )

    def open(self, a: Tensor, state: State) -> State:
        """The gates."""
        (h,) = state
        r, z = torch.sigmoid(a).unbind(-2)
        return r * h, z, h


class MUT3(_Mutant, name="mut3"):
    """Mutant whose update gate sees the squashed state.

    `z = sigmoid(W_z x + U_z tanh(h_{t-1}) + b_z)`, `r = sigmoid(W_r x + U_r h_{t-1} + b_r)`,
    `n = tanh(U_n (r h_{t-1}) + W_n x + b_n)`, `h_t = n z + h_{t-1} (1 - z)`
    """

    source = "Jozefowicz et al. 2015, MUT3"
    weighed = ("reset", "update", "new")
    recurrent: ClassVar[dict[str, int]] = {"weight_hr": 1, "weight_hz": 1, "weight_hn": 1}
    stages = (
        Stage("open_reset", (Product("weight_hr"),), blocks=1),
        Stage("open_update", (Product("weight_hz"),), blocks=1),
        Stage("close", (Product("weight_hn"),), blocks=1),
    )

    def open_reset(self, a: Tensor, state: State) -> State:
        """The reset gate, and what the update gate will see."""
        (h,) = state
        return torch.tanh(h), torch.sigmoid(a.squeeze(-2)) * h, h

    def open_update(self, a: Tensor, variables: State) -> State:
        """The update gate."""
        _, reset_h, h = variables
        return reset_h, torch.sigmoid(a.squeeze(-2)), h
