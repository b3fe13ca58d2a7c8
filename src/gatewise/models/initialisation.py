"""How the weights of a recurrence start: a factor of a study, not an accident of a library.

All draws come from torch's global generator, parameter by parameter in the order in which
the cell made them, so two cells whose parameters have equal shapes start equal.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from gatewise.errors import GatewiseError
from gatewise.models.cells import Cell, get, names

Scheme = Literal["torch", "keras", "chrono"]

CHRONO_STEPS = 100
"""Longest dependency, in steps, that `chrono` prepares a cell for where nobody says another."""


@torch.no_grad()
def initialise(
    cell: Cell,
    scheme: Scheme = "torch",
    forget_bias: float | None = None,
    chrono_steps: int = CHRONO_STEPS,
) -> None:
    """Fill a cell's parameters in place.

    `torch`: everything uniform within +-1/sqrt(hidden), as `torch.nn` does for its own.
    `keras`: input weights Glorot-uniform, recurrent weights orthogonal, peepholes and biases
    zero but for a forget gate's bias, which is one; as `keras.layers.LSTM` and `GRU`.
    `chrono`: as `torch`, with biases that spread the memory of the units evenly (in log time)
    over 1 to `chrono_steps` steps (Tallec & Ollivier 2018, "chrono initialization").
    Whatever the scheme, gains of normalisations start at one; `forget_bias` then sets the bias
    of the gate that keeps the state, with the sign that makes a larger number keep more.

    Raises:
        GatewiseError: `chrono` or `forget_bias` for a cell that has no such gate.
    """
    check(type(cell), scheme, forget_bias)
    bound = 1 / math.sqrt(cell.hidden_size)
    for name, parameter in cell.named_parameters():
        if name.startswith("gain"):
            nn.init.ones_(parameter)
        elif scheme != "keras":
            nn.init.uniform_(parameter, -bound, bound)
        elif name.startswith("weight_h"):
            nn.init.orthogonal_(parameter)
        elif name.startswith("weight"):
            nn.init.xavier_uniform_(parameter)
        else:
            nn.init.zeros_(parameter)
    if scheme == "keras" and cell.keep_gate == "forget":
        _keep(cell, 1.0)
    if scheme == "chrono":
        spread = torch.empty(cell.hidden_size).uniform_(1, chrono_steps - 1).log()
        _keep(cell, spread)
        if "input" in cell.gates and cell.keep_gate != "input":
            _set_bias(cell, "input", -spread)
    if forget_bias is not None:
        _keep(cell, forget_bias)


def check(kind: type[Cell], scheme: Scheme, forget_bias: float | None) -> None:
    """Refuse what a kind of cell cannot start with.

    Raises:
        GatewiseError: `chrono` or `forget_bias` for a cell that has no such gate.
    """
    if kind.keep_gate is None and (scheme == "chrono" or forget_bias is not None):
        key = "init: chrono" if scheme == "chrono" else "forget_bias"
        able = [name for name in names() if get(name).keep_gate is not None]
        raise GatewiseError(
            f"{key} needs a gate that decides how much of the state is kept, and cell "
            f"{kind.name!r} has none; leave it out, or use one of {', '.join(able)}"
        )


def _keep(cell: Cell, value: float | Tensor) -> None:
    assert cell.keep_gate is not None  # noqa: S101  (for the type checker)
    _set_bias(cell, cell.keep_gate, cell.keep_sign * value)


def _set_bias(cell: Cell, block: str, value: float | Tensor) -> None:
    """Set the bias of a block of rows; where two bias vectors are summed, the other is zero."""
    biases = dict(cell.named_parameters())
    first = cell.blocks.index(block) * cell.hidden_size
    rows = slice(first, first + cell.hidden_size)
    if "bias_ih" in biases:
        biases["bias_ih"][rows] = value
        biases["bias_hh"][rows] = 0.0
    else:
        biases["bias"][rows] = value
