"""How the weights of a recurrence start: a factor of a study, not an accident of a library.

All draws come from torch's global generator, parameter by parameter in the order in which
the cell made them, so two cells whose parameters have equal shapes start equal.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from gatewise.cells import Cell
from gatewise.errors import GatewiseError

Scheme = Literal["torch", "keras", "chrono"]

CHRONO_STEPS = 100
"""Longest dependency, in steps, that `chrono` prepares a cell for."""


@torch.no_grad()
def initialise(cell: Cell, scheme: Scheme = "torch", forget_bias: float | None = None) -> None:
    """Fill a cell's parameters in place.

    `torch`: everything uniform within +-1/sqrt(hidden), as `torch.nn` does for its own.
    `keras`: input weights Glorot-uniform, recurrent weights orthogonal, biases zero but for a
    forget gate's, which is one; as `keras.layers.LSTM` and `GRU`.
    `chrono`: as `torch`, with biases that spread the memory of the units evenly (in log time)
    over 1 to `CHRONO_STEPS` steps (Tallec & Ollivier 2018, section 2 and equation 16).
    `forget_bias` then sets the bias of the gate that keeps the state.

    Raises:
        GatewiseError: `chrono` or `forget_bias` for a cell that has no such gate.
    """
    if scheme == "keras":
        for name, parameter in cell.named_parameters():
            _keras(name, parameter)
        if "forget" in cell.gates:
            _set_gate(cell, "forget", 1.0)
    else:
        bound = 1 / math.sqrt(cell.hidden_size)
        for parameter in cell.parameters():
            nn.init.uniform_(parameter, -bound, bound)
    if scheme == "chrono":
        gate = _keep_gate(cell, "init: chrono")
        spread = torch.empty(cell.hidden_size).uniform_(1, CHRONO_STEPS - 1).log()
        _set_gate(cell, gate, spread)
        if "input" in cell.gates and gate != "input":
            _set_gate(cell, "input", -spread)
    if forget_bias is not None:
        _set_gate(cell, _keep_gate(cell, "forget_bias"), forget_bias)


def _keras(name: str, parameter: nn.Parameter) -> None:
    if name.startswith("bias"):
        nn.init.zeros_(parameter)
    elif name.startswith("weight_hh"):
        nn.init.orthogonal_(parameter)
    else:
        nn.init.xavier_uniform_(parameter)


def _keep_gate(cell: Cell, key: str) -> str:
    if cell.keep_gate is None:
        raise GatewiseError(
            f"{key} needs a gate that keeps the state, and cell {cell.name!r} has none; "
            "leave it out or choose a gated cell"
        )
    return cell.keep_gate


def _set_gate(cell: Cell, gate: str, value: float | Tensor) -> None:
    """Set a gate's bias; where two bias vectors are summed, the other is zero."""
    rows = slice(*(cell.hidden_size * (cell.blocks.index(gate) + k) for k in (0, 1)))
    cell.bias_ih[rows] = value  # type: ignore[operator]
    cell.bias_hh[rows] = 0.0  # type: ignore[operator]
