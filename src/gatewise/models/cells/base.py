"""The contract of a recurrent cell, and the two ways of running one over a sequence.

A cell is one layer in one direction. It states what happens in one time step; everything
else (depth, direction, padding) is built around it in `gatewise.models.recurrence`.
Sequences are time-first here, `(time, batch, features)`, and named `x_tbf`: the slice of a
step is then one contiguous block.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from gatewise.errors import GatewiseError

State = tuple[Tensor, ...]
Kernel = Literal["fused", "unrolled"]
Shapes = dict[str, tuple[int, ...]]


class Cell(nn.Module):
    """A recurrence `core(x_t, state) -> (y_t, state)`.

    A subclass names itself (`class LSTM(Cell, name="lstm")`), declares the class variables
    below and the shapes of its parameters, and writes `project` and `step`. If it also writes
    `fused`, that becomes its usual way over a whole sequence, and the tests hold it equal to
    the loop over `core`. `gatewise.models.cells.staged` derives both for most of the family.

    Parameters are named for what they are, which initialisation goes by: `weight_i...` and
    `weight_h...` multiply the input and the state, `bias...` is added, `peephole...` weighs a
    state unit by unit, `gain...` scales a normalised vector.
    """

    name: ClassVar[str]
    """Name in `params.yaml`."""
    blocks: ClassVar[tuple[str, ...]]
    """What the blocks of rows in the input weights compute, in their order."""
    gates: ClassVar[tuple[str, ...]] = ()
    """Those of the blocks that are gates: they open and close something."""
    states: ClassVar[tuple[str, ...]] = ("h",)
    """What is carried from step to step, `y_t` first."""
    keep_gate: ClassVar[str | None] = None
    """The gate that decides how much of the old state is kept; what a forget bias acts on."""
    keep_sign: ClassVar[int] = 1
    """-1 where that gate keeps when it is closed."""
    source: ClassVar[str]
    """Paper and equations, or the implementation whose definition is followed."""
    options: ClassVar[tuple[str, ...]] = ()
    """Options beyond the two sizes that the cell takes."""

    def __init_subclass__(cls, name: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if name is not None:
            cls.name = name
            _FAMILY[name] = cls

    def __init__(self, input_size: int, hidden_size: int, **options: Any) -> None:
        self.check_options(hidden_size, **options)
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.kernel: Kernel = "fused" if self.has_fused() else "unrolled"
        for name, shape in self.shapes(input_size, hidden_size, **options).items():
            # Filled by gatewise.models.initialisation.
            self.register_parameter(name, nn.Parameter(torch.empty(shape)))

    @classmethod
    def check_options(cls, hidden_size: int, **options: Any) -> None:  # noqa: ARG003
        """Refuse options that the cell does not take.

        Raises:
            GatewiseError: an option is not one of `options`, or contradicts the width.
        """
        for option in options:
            if option not in cls.options:
                able = [name for name, cell in _FAMILY.items() if option in cell.options]
                raise GatewiseError(
                    f"cell {cls.name!r} takes no {option}; leave it out"
                    + (f", or use {' or '.join(able)}" if able else "")
                )

    # --- closed forms ---------------------------------------------------------------------

    @classmethod
    def shapes(cls, input_size: int, hidden_size: int, **options: Any) -> Shapes:
        """Shapes of the parameters, in the order in which they are made and drawn."""
        raise NotImplementedError

    @classmethod
    def output_size(cls, hidden_size: int, **options: Any) -> int:  # noqa: ARG003
        """Width of `y_t`."""
        return hidden_size

    @classmethod
    def parameter_count(cls, input_size: int, hidden_size: int, **options: Any) -> int:
        """Trainable parameters of one layer in one direction."""
        return sum(math.prod(s) for s in cls.shapes(input_size, hidden_size, **options).values())

    @classmethod
    def macs_per_step(cls, input_size: int, hidden_size: int, **options: Any) -> int:
        """Multiply-accumulates of the matrix products in one step of one sequence.

        Each weight of a matrix is used once a step. Elementwise work is left out, as
        `torch.utils.flop_counter` leaves it out.
        """
        shapes = cls.shapes(input_size, hidden_size, **options)
        return sum(math.prod(s) for name, s in shapes.items() if name.startswith("weight"))

    # --- one step -------------------------------------------------------------------------

    def state_sizes(self) -> tuple[int, ...]:
        """Width of each state."""
        return (self.hidden_size,) * len(self.states)

    def initial_state(self, batch: int, like: Tensor | None = None) -> State:
        """Zeros, `(batch, width)` each, in the type and place of `like` or of the weights."""
        like = next(self.parameters()) if like is None else like
        return tuple(like.new_zeros(batch, width) for width in self.state_sizes())

    def carried_sizes(self) -> tuple[int, ...]:
        """Widths of the states with which a sequence may go on where another ended."""
        return tuple(
            size
            for name, size in zip(self.states, self.state_sizes(), strict=True)
            if self._carried(name)
        )

    def started(self, carried: Sequence[Tensor]) -> State:
        """A state that begins with something, all else in it as at any start.

        Args:
            carried: `(batch, width)` for each of `carried_sizes`.
        """
        like = carried[0]
        given = iter(carried)
        usual = zip(self.states, self.initial_state(len(like), like), strict=True)
        return tuple(next(given) if self._carried(name) else value for name, value in usual)

    @classmethod
    def _carried(cls, name: str) -> bool:
        """Whether a state holds what was read: the output, and a cell state beside it."""
        return name in (cls.states[0], "c")

    def project(self, x: Tensor) -> Tensor:
        """The part of a step that needs only the input, `(..., input) -> (..., projected)`.

        It is hoisted out of the loop: one large matrix product for all steps.
        """
        raise NotImplementedError

    def step(self, projected_t: Tensor, state: State) -> tuple[Tensor, State]:
        """The rest of a step: `(batch, projected)` and the old state to `y_t` and the new."""
        raise NotImplementedError

    def core(self, x_t: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: `x_t (batch, input)` and the state to `y_t (batch, output)` and the state."""
        return self.step(self.project(x_t), state)

    # --- a sequence -----------------------------------------------------------------------

    @classmethod
    def has_fused(cls) -> bool:
        """Whether the cell has a way over a sequence that is faster than the loop."""
        return cls.fused is not Cell.fused

    def unrolled(self, x_tbf: Tensor, state: State) -> tuple[Tensor, State]:
        """The reference: a loop of `step` under autograd."""
        outputs = []
        for projected_t in self.project(x_tbf).unbind(0):
            y_t, state = self.step(projected_t, state)
            outputs.append(y_t)
        return torch.stack(outputs), state

    def fused(self, x_tbf: Tensor, state: State) -> tuple[Tensor, State]:
        """The whole sequence as one operation with a backward pass of its own."""
        raise NotImplementedError

    def forward(self, x_tbf: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Run over `(time, batch, input)`; gives `(time, batch, output)` and the last state.

        Knows nothing of lengths: it only looks backwards in time, so what stands after a
        sequence's end cannot reach the outputs before it. Mixed precision stops here: rounding
        errors of half precision would add up from step to step.
        """
        run = self.fused if self.kernel == "fused" else self.unrolled
        device = x_tbf.device.type
        if torch.is_autocast_enabled(device):
            with torch.autocast(device, enabled=False):
                x_tbf = x_tbf.to(next(self.parameters()).dtype)
                state = self._or_initial(state, x_tbf)
                return run(x_tbf, tuple(part.to(x_tbf.dtype) for part in state))
        return run(x_tbf, self._or_initial(state, x_tbf))

    def _or_initial(self, state: State | None, x_tbf: Tensor) -> State:
        return self.initial_state(x_tbf.shape[1], like=x_tbf) if state is None else state

    def extra_repr(self) -> str:
        """Sizes and the kernel, for `print(model)`."""
        return f"{self.input_size}, {self.hidden_size}, kernel={self.kernel}"

    @classmethod
    def summary(cls) -> str:
        """First line of the docstring."""
        return (inspect.getdoc(cls) or "").partition("\n")[0]


_FAMILY: dict[str, type[Cell]] = {}
