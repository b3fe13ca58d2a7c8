"""The peephole LSTM and its eight variants of "LSTM: A Search Space Odyssey".

Each variant takes one thing away from (or, for FGR, adds one thing to) the peephole LSTM, so
that its score says what that thing is worth. All of them run on `Peephole.update`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from gatewise.models.cells.base import Shapes, State
from gatewise.models.cells.fast_fgr import FastFGR
from gatewise.models.cells.staged import Product, Stage, Staged

_GREFF = "Greff et al. 2017"


class Peephole(Staged, name="lstm-peephole"):
    """LSTM whose gates also see the cell state, each unit its own.

    `z = tanh(W_z x_t + R_z h_{t-1} + b_z)`, `i = sigmoid(W_i x_t + R_i h_{t-1} + p_i c_{t-1} +
    b_i)`, `f = sigmoid(W_f x_t + R_f h_{t-1} + p_f c_{t-1} + b_f)`, `c_t = z i + c_{t-1} f`,
    `o = sigmoid(W_o x_t + R_o h_{t-1} + p_o c_t + b_o)`, `h_t = tanh(c_t) o`
    """

    blocks: ClassVar[tuple[str, ...]] = ("input", "forget", "output", "new")
    gates: ClassVar[tuple[str, ...]] = ("input", "forget", "output")
    states: ClassVar[tuple[str, ...]] = ("h", "c")
    keep_gate: ClassVar[str | None] = "forget"
    source = f"{_GREFF}, section 2 (vanilla LSTM); Gers & Schmidhuber 2000"
    stages = (Stage("update", (Product("weight_hh"),)),)
    unit_parameters: ClassVar[tuple[str, ...]] = ("peephole",)

    coupled: ClassVar[bool] = False
    """Whether the forget gate is what the input gate leaves."""

    @classmethod
    def shapes(cls, input_size: int, hidden_size: int, **options: Any) -> Shapes:
        """One peephole weight for each gate and unit."""
        shapes = super().shapes(input_size, hidden_size, **options)
        if cls.unit_parameters:
            shapes["peephole"] = (len(cls.gates), hidden_size)
        return shapes

    def update(self, a: Tensor, state: State, *peephole: Tensor) -> State:
        """See the class; a gate that the variant lacks is open."""
        old = state[1]
        rows = dict(zip(self.blocks, a.unbind(-2), strict=True))
        peeps = dict(zip(self.gates, peephole[0], strict=True)) if peephole else {}

        def gate(name: str, c: Tensor) -> Tensor | None:
            if name not in rows:
                return None
            seen = torch.addcmul(rows[name], peeps[name], c) if peeps else rows[name]
            return torch.sigmoid(seen)

        i = gate("input", old)
        f = 1 - i if self.coupled and i is not None else gate("forget", old)
        z = self.squash_input(rows["new"])
        c = (z if i is None else z * i) + (old if f is None else old * f)
        o = gate("output", c)
        h = self.squash_output(c)
        h = h if o is None else h * o
        return self.carry(h, c, i, f, o)

    def squash_input(self, z: Tensor) -> Tensor:
        """Input activation function `g`."""
        return torch.tanh(z)

    def squash_output(self, c: Tensor) -> Tensor:
        """Output activation function `h`."""
        return torch.tanh(c)

    def carry(self, h: Tensor, c: Tensor, *gates: Tensor | None) -> State:  # noqa: ARG002
        """What the next step is given."""
        return h, c


class NoInputGate(Peephole, name="lstm-nig"):
    """Peephole LSTM without input gate: `i = 1`."""

    blocks = ("forget", "output", "new")
    gates = ("forget", "output")
    source = f"{_GREFF}, NIG"


class NoForgetGate(Peephole, name="lstm-nfg"):
    """Peephole LSTM without forget gate: `f = 1`; the LSTM of 1997 with peepholes."""

    blocks = ("input", "output", "new")
    gates = ("input", "output")
    keep_gate = None
    source = f"{_GREFF}, NFG"


class NoOutputGate(Peephole, name="lstm-nog"):
    """Peephole LSTM without output gate: `o = 1`."""

    blocks = ("input", "forget", "new")
    gates = ("input", "forget")
    source = f"{_GREFF}, NOG"


class NoInputActivation(Peephole, name="lstm-niaf"):
    """Peephole LSTM without input activation function: `z` is not squashed."""

    source = f"{_GREFF}, NIAF"

    def squash_input(self, z: Tensor) -> Tensor:
        """Not at all."""
        return z


class NoOutputActivation(Peephole, name="lstm-noaf"):
    """Peephole LSTM without output activation function: `h_t = c_t o`."""

    source = f"{_GREFF}, NOAF"

    def squash_output(self, c: Tensor) -> Tensor:
        """Not at all."""
        return c


class NoPeepholes(Peephole, name="lstm-np"):
    """Peephole LSTM without peepholes: the equations of `lstm`, with a single bias."""

    source = f"{_GREFF}, NP"
    unit_parameters = ()


class CoupledGates(Peephole, name="lstm-cifg"):
    """Peephole LSTM with coupled input and forget gate: `f = 1 - i`."""

    blocks = ("input", "output", "new")
    gates = ("input", "output")
    keep_gate = "input"
    keep_sign = -1
    source = f"{_GREFF}, CIFG"
    coupled = True


class FullGateRecurrence(Peephole, name="lstm-fgr"):
    """Peephole LSTM whose gates also see all gates of the step before.

    Adds `R_ii i_{t-1} + R_fi f_{t-1} + R_oi o_{t-1}` to the input gate, and likewise to the
    forget and output gates: nine more square matrices.
    """

    states = ("h", "c", "i", "f", "o")
    source = f"{_GREFF}, FGR; Hochreiter & Schmidhuber 1997"
    stages = (Stage("update", (Product("weight_hh"), Product("weight_hg", (2, 3, 4)))),)

    weight_hh: Tensor
    weight_hg: Tensor
    peephole: Tensor

    @classmethod
    def shapes(cls, input_size: int, hidden_size: int, **options: Any) -> Shapes:
        """A matrix from gates to gates besides."""
        gates = 3 * hidden_size
        return super().shapes(input_size, hidden_size, **options) | {"weight_hg": (gates, gates)}

    def fused(self, x_tbf: Tensor, state: State) -> tuple[Tensor, State]:
        """A pass of its own, faster than the derived one; see `fast_fgr`."""
        parameters = (self.weight_ih, self.weight_hh, self.weight_hg, self.bias, self.peephole)
        y_tbh, *after = FastFGR.apply(x_tbf, *state, *parameters)
        return y_tbh, tuple(after)

    def carry(self, h: Tensor, c: Tensor, *gates: Tensor | None) -> State:
        """The gates too."""
        i, f, o = gates
        assert i is not None and f is not None and o is not None  # noqa: S101, PT018
        return h, c, i, f, o
