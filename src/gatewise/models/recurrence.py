"""Cells stacked: depth, direction, the kernel that computes them, and their start.

Batches are padded at the end and come with their lengths. Nothing here packs: a recurrence
looks only backwards, so outputs before a sequence's end never see its padding; the reverse
direction turns each sequence round within its own length.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models import cells
from gatewise.models.cells import Cell, State
from gatewise.models.cells.base import Kernel
from gatewise.models.complexity import cell_options, hidden_size, output_size
from gatewise.models.dropout import Dropout
from gatewise.models.initialisation import CHRONO_STEPS, initialise
from gatewise.models.lengths import Lengths


class Recurrence(nn.Module):
    """Layers and directions of one kind of cell: `(time, batch, input)` to `(.., output)`.

    Forward in time it is a core like each of its cells, `core(x_t, state) -> (y_t, state)` with
    an `initial_state`, whose state is one of the cell's for every layer.
    """

    def __init__(self, variant: VariantConfig, input_size: int) -> None:
        super().__init__()
        kind, hidden, options = cells.get(variant.cell), hidden_size(variant), cell_options(variant)
        self.output_size = output_size(variant)
        self.residual = variant.residual
        self.bidirectional = variant.bidirectional
        self.dropout = Dropout(variant.dropout)
        self.layers = nn.ModuleList()
        for layer in range(variant.layers):
            width = input_size if layer == 0 else self.output_size
            directions = nn.ModuleList()
            for _ in range(1 + variant.bidirectional):
                cell = kind(width, hidden, **options)
                steps = variant.chrono_steps or CHRONO_STEPS
                initialise(cell, variant.init, variant.forget_bias, steps)
                cell.kernel = choose_kernel(kind, variant.kernel)
                directions.append(cell)
            self.layers.append(directions)

    @property
    def kernel(self) -> Kernel:
        """What computes the recurrence."""
        return self.cells()[0].kernel

    def compile_steps(self) -> None:
        """Compile what goes step by step; a fused kernel leaves nothing for a compiler to do."""
        for cell in self.cells():
            if cell.kernel == "unrolled":
                cell.step = torch.compile(cell.step, dynamic=True)  # type: ignore[method-assign]

    def cells(self) -> list[Cell]:
        """All of them, layer by layer."""
        return [cell for layer in self._directions() for cell in layer]

    def _directions(self) -> list[list[Cell]]:
        return [list(layer) for layer in self.layers]  # type: ignore[call-overload]

    def forward(self, x_tbf: Tensor, lengths: Lengths) -> Tensor:
        """Outputs of the last layer; what stands beyond a sequence's end means nothing."""
        for depth, (forward_cell, *backward_cells) in enumerate(self._directions()):
            inputs = x_tbf if depth == 0 else self.dropout(x_tbf)
            y_tbf, _ = forward_cell(inputs)
            for cell in backward_cells:
                y_back, _ = cell(lengths.reverse(inputs))
                y_tbf = torch.cat([y_tbf, lengths.reverse(y_back)], -1)
            x_tbf = self._add(x_tbf, y_tbf)
        return x_tbf

    def advance(self, x_tbf: Tensor, state: list[State]) -> tuple[Tensor, list[State]]:
        """Some steps from a state on: `(time, batch, output)` and the state after the last.

        Args:
            x_tbf: steps that all count: nothing is padding.
            state: one a layer, as `initial_state` has them.

        Raises:
            GatewiseError: the recurrence is bidirectional and has no state between steps.
        """
        self._require_forward()
        after = []
        for depth, (cell, old) in enumerate(zip(self.cells(), state, strict=True)):
            y_tbf, new = cell(x_tbf if depth == 0 else self.dropout(x_tbf), old)
            after.append(new)
            x_tbf = self._add(x_tbf, y_tbf)
        return x_tbf, after

    def initial_state(self, batch: int) -> list[State]:
        """One state a layer, for `core`."""
        return [cell.initial_state(batch) for cell in self.cells()]

    def core(self, x_t: Tensor, state: list[State]) -> tuple[Tensor, list[State]]:
        """One step through all layers: `(batch, input)` to `(batch, output)`.

        Raises:
            GatewiseError: the recurrence is bidirectional and cannot stream.
        """
        self._require_forward()
        after = []
        for cell, old in zip(self.cells(), state, strict=True):
            y_t, new = cell.core(x_t, old)
            after.append(new)
            x_t = self._add(x_t, y_t)
        return x_t, after

    def _require_forward(self) -> None:
        if self.bidirectional:
            raise GatewiseError(
                "a bidirectional variant needs the whole sequence and cannot be streamed"
            )

    def _add(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y if self.residual and x.shape[-1] == y.shape[-1] else y


def choose_kernel(kind: type[Cell], wish: Literal["auto", "fused", "unrolled"]) -> Kernel:
    """The kernel that a cell gets.

    Raises:
        GatewiseError: `fused` is forced on a cell that has none.
    """
    if wish == "auto":
        return "fused" if kind.has_fused() else "unrolled"
    if wish == "fused" and not kind.has_fused():
        able = [name for name in cells.names() if cells.get(name).has_fused()]
        raise GatewiseError(
            f"cell {kind.name!r} has no fused kernel; say kernel: auto, or use one of "
            f"{', '.join(able)}"
        )
    return wish


def check(variant: VariantConfig) -> None:
    """Refuse a variant that no task could build; costs next to nothing, and needs no data.

    Raises:
        GatewiseError: there is no such cell, or it cannot have these options, start or kernel.
    """
    # A width that is still to be solved leaves room for any projection.
    width = variant.hidden or 1 + (variant.projection or 0)
    with torch.device("meta"):
        Recurrence(variant.model_copy(update={"hidden": width}), input_size=1)
