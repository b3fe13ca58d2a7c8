"""A fast backward pass for any cell made of matrix products and unit-by-unit functions.

Most cells are a short cycle of stages: a product of some variable with a recurrent matrix,
then a function that works on each hidden unit by itself. `Staged` runs such a cell and
`_Scan` differentiates it as one operation:

* the derivative of a unit-by-unit function is one number for each unit, input and output, and
  does not depend on what comes back from the future; autograd gives these numbers for many
  steps at once;
* what is left for the loop through time is linear: a few multiply-adds and the products with
  the transposed matrices;
* the gradients of the matrices are one large product over all steps at the end.

So a cell states its equations once, and nobody writes a derivative by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from gatewise.models.cells.base import Cell, Shapes, State

CHUNK_ELEMENTS = 1 << 19
"""Pre-activations linearised at once: enough steps to spread overheads over, few enough to stay
in the processor's cache (2 MiB)."""

Gradients = list[Tensor | None]


class Product(NamedTuple):
    """A recurrent matrix and the variables that, side by side, it multiplies.

    Its result is added to the first rows of the stage's pre-activations.
    """

    weight: str
    operands: tuple[int, ...] = (0,)


class Stage(NamedTuple):
    """Products, then a unit-by-unit function."""

    then: str
    """Method `(pre-activations (..., blocks, width), variables, *unit parameters) -> variables`."""
    products: tuple[Product, ...]
    blocks: int = 0
    """Blocks of rows in the pre-activations; 0 for all that the cell has."""
    projected: bool = True
    """Whether the input's projection is part of the pre-activations."""


class Staged(Cell):
    """A cell that lists its stages; the last one's variables are the new state."""

    stages: ClassVar[tuple[Stage, ...]]
    unit_parameters: ClassVar[tuple[str, ...]] = ()
    """Parameters that the stages' functions are given besides."""

    weight_ih: Tensor
    bias: Tensor

    @classmethod
    def shapes(cls, input_size: int, hidden_size: int, **_: Any) -> Shapes:
        """One matrix for the input, one for the state, one bias."""
        rows = len(cls.blocks) * hidden_size
        return {"weight_ih": (rows, input_size), "weight_hh": (rows, hidden_size), "bias": (rows,)}

    def project(self, x: Tensor) -> Tensor:
        """`W x + b` for all blocks at once."""
        return F.linear(x, self.weight_ih, self.bias)

    def rows(self, stage: Stage) -> int:
        """Rows of a projected stage's pre-activations."""
        return (stage.blocks or len(self.blocks)) * self.hidden_size

    def apart(self, a: Tensor, stage: Stage) -> Tensor:
        """Pre-activations with their blocks apart: `(..., rows)` to `(..., blocks, width)`."""
        return a.view(*a.shape[:-1], stage.blocks or len(self.blocks), -1)

    def step(self, projected_t: Tensor, state: State) -> tuple[Tensor, State]:
        """Each stage in turn."""
        variables, at = state, 0
        units = [getattr(self, name) for name in self.unit_parameters]
        for stage in self.stages:
            a: Tensor | None = None
            if stage.projected:
                width = self.rows(stage)
                a = projected_t[..., at : at + width]
                at += width
            for weight, operands in stage.products:
                part = F.linear(_beside(variables, operands), getattr(self, weight))
                if a is not None and part.shape[-1] < a.shape[-1]:
                    part = F.pad(part, (0, a.shape[-1] - part.shape[-1]))
                a = part if a is None else a + part
            assert a is not None  # noqa: S101  (for the type checker)
            variables = getattr(self, stage.then)(self.apart(a, stage), variables, *units)
        return variables[0], variables

    def fused(self, x_tbf: Tensor, state: State) -> tuple[Tensor, State]:
        """One operation for the whole sequence; see the module."""
        weights = [getattr(self, p.weight) for stage in self.stages for p in stage.products]
        units = [getattr(self, name) for name in self.unit_parameters]
        y, *state_after = _Scan.apply(self, self.project(x_tbf), *state, *weights, *units)
        return y, tuple(state_after)


class _Scan(torch.autograd.Function):
    """`(projected, *state, *weights, *unit parameters) -> (y, *state)` over all steps."""

    @staticmethod
    def forward(ctx: Any, cell: Staged, p_tbf: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        variables, rest = tensors[: len(cell.states)], tensors[len(cell.states) :]
        runs = _runs(cell, p_tbf, rest)
        units = rest[len(rest) - len(cell.unit_parameters) :]
        outputs = []
        for t in range(len(p_tbf)):
            for run in runs:
                variables = run.push(t, variables, units)
            outputs.append(variables[0])
        ctx.save_for_backward(*rest)
        ctx.cell, ctx.runs, ctx.shape = cell, runs, p_tbf.shape
        # Not the very tensors that a run holds: a result kept by its own graph is never freed.
        return torch.stack(outputs), *(v.detach() for v in variables)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gy_tbf: Tensor, *g_state: Tensor) -> tuple[Tensor | None, ...]:
        runs: list[_Run] = ctx.runs
        count = len(ctx.cell.unit_parameters)
        units = [u.detach().requires_grad_() for u in ctx.saved_tensors[-count:]] if count else []
        g_units = [torch.zeros_like(unit) for unit in units]
        g_p = gy_tbf.new_empty(ctx.shape)
        for run in runs:
            run.prepare(g_p)
        gy = gy_tbf.unbind(0)
        g: Gradients = [g_state[0] + gy[-1], *g_state[1:]]
        chunk = max(runs[0].steps_at_once(), 1)
        for stop in range(len(gy), 0, -chunk):
            start = max(stop - chunk, 0)
            for run in runs:
                run.linearise(start, stop, units)
            for t in reversed(range(start, stop)):
                for run in reversed(runs):
                    g = run.pull(t, g, gy[t - 1] if run is runs[0] and t > 0 else None)
            for run in runs:
                run.collect(units, g_units)
        return None, g_p, *g, *(w for run in runs for w in run.weight_gradients()), *g_units


def _runs(cell: Staged, p_tbf: Tensor, weights: Sequence[Tensor]) -> list[_Run]:
    runs, at = [], 0
    for stage in cell.stages:
        count = len(stage.products)
        width = cell.rows(stage) if stage.projected else weights[0].shape[0]
        runs.append(_Run(cell, stage, p_tbf, slice(at, at + width), weights[:count]))
        weights = weights[count:]
        at += width if stage.projected else 0
    return runs


class _Run:
    """One stage while a sequence runs through it, there and back."""

    def __init__(
        self, cell: Staged, stage: Stage, p_tbf: Tensor, rows: slice, weights: Sequence[Tensor]
    ) -> None:
        self.cell, self.stage = cell, stage
        self.then: Callable[..., State] = getattr(cell, stage.then)
        self.products = [
            (weight, weight.t(), product.operands)
            for weight, product in zip(weights, stage.products, strict=True)
        ]
        self.rows = rows
        self.p = p_tbf[..., rows].unbind(0) if stage.projected else None
        self.a_tbf = p_tbf.new_empty(*p_tbf.shape[:2], rows.stop - rows.start)
        self.a = self.a_tbf.unbind(0)
        self.before: list[State] = []
        """The variables that entered, step by step."""

    def push(self, t: int, variables: State, units: Sequence[Tensor]) -> State:
        """Step `t` of the forward pass."""
        self.before.append(variables)
        a = self.a[t]
        for index, (weight, transposed, operands) in enumerate(self.products):
            v = _beside(variables, operands)
            first = index == 0
            if first and self.p is None:
                torch.mm(v, transposed, out=a)
            elif first and len(weight) == a.shape[1]:
                torch.addmm(self.p[t], v, transposed, out=a)  # type: ignore[index]
            else:
                if first:
                    a.copy_(self.p[t])  # type: ignore[index]
                a[:, : len(weight)].addmm_(v, transposed)
        return self.then(self.cell.apart(a, self.stage), variables, *units)

    # --- the backward pass ----------------------------------------------------------------

    def steps_at_once(self) -> int:
        """Chunk that keeps a linearised stage within the processor's cache."""
        return CHUNK_ELEMENTS // self.a[0].numel()

    def prepare(self, g_p: Tensor) -> None:
        """Choose where the pre-activations' gradients go: into the projection's, if it has one."""
        self.d_tbf = g_p[..., self.rows] if self.p is not None else torch.empty_like(self.a_tbf)
        self.d = self.d_tbf.unbind(0)
        self.d_blocks = self.cell.apart(self.d_tbf, self.stage).unbind(0)

    def linearise(self, start: int, stop: int, units: Sequence[Tensor]) -> None:
        """Derivatives of `then` for steps `start` to `stop`, by unit.

        `by_a[j][t]` is that of output j by the pre-activations, `(batch, blocks, width)`;
        `by_v[j][i][t]` by variable i, `(batch, width)`; absent where it is zero, and a pair
        `(i, None)` in `by_v[j]` where variable i is handed on as it is.
        """
        self.start = start
        entered = [torch.stack(v) for v in zip(*self.before[start:stop], strict=True)]
        with torch.enable_grad():
            a = self.cell.apart(self.a_tbf[start:stop], self.stage).requires_grad_()
            variables = tuple(v.requires_grad_() for v in entered)
            self.left = self.then(a, variables, *units)
            self.by_a: list[Sequence[Tensor] | None] = []
            self.by_v: list[list[tuple[int, Sequence[Tensor] | None]]] = []
            for output in self.left:
                same = [i for i, v in enumerate(variables) if output is v]
                if same or not output.requires_grad:
                    self.by_a.append(None)
                    self.by_v.append([(i, None) for i in same])
                    continue
                by_a, *by_v = torch.autograd.grad(
                    output, (a, *variables), _ones(output), retain_graph=True, allow_unused=True
                )
                self.by_a.append(None if by_a is None else by_a.unbind(0))
                self.by_v.append([(i, d.unbind(0)) for i, d in enumerate(by_v) if d is not None])
        self.arrived: list[Gradients] = []

    def pull(self, t: int, g: Gradients, arriving: Tensor | None) -> Gradients:
        """Step `t` of the backward pass: gradients by the outputs to those by the variables.

        `arriving` is added to that of the first variable.
        """
        self.arrived.append(g)
        k = t - self.start
        d, empty = self.d_blocks[t], True
        before: Gradients = [None] * len(self.before[t])
        before[0] = arriving
        for g_j, by_a, by_v in zip(g, self.by_a, self.by_v, strict=True):
            if g_j is None:
                continue
            if by_a is not None:
                if empty:
                    torch.mul(g_j.unsqueeze(1), by_a[k], out=d)
                else:
                    d.addcmul_(g_j.unsqueeze(1), by_a[k])
                empty = False
            for i, slope in by_v:
                b = before[i]
                if slope is None:
                    before[i] = g_j if b is None else b + g_j
                else:
                    before[i] = g_j * slope[k] if b is None else torch.addcmul(b, g_j, slope[k])
        for weight, _, operands in self.products:
            d_rows = self.d[t][:, : len(weight)]
            if len(operands) == 1:
                b = before[operands[0]]
                before[operands[0]] = d_rows @ weight if b is None else b.addmm(d_rows, weight)
            else:
                parts = (d_rows @ weight).chunk(len(operands), -1)
                for i, part in zip(operands, parts, strict=True):
                    b = before[i]
                    before[i] = part if b is None else b + part
        return before

    def collect(self, units: Sequence[Tensor], g_units: Sequence[Tensor]) -> None:
        """Add this chunk's share of the unit parameters' gradients."""
        if units:
            pairs = [
                (output, torch.stack([g[j] for g in reversed(self.arrived)]))  # type: ignore[misc]
                for j, output in enumerate(self.left)
                if self.by_a[j] is not None and self.arrived[0][j] is not None
            ]
            outputs, cotangents = zip(*pairs, strict=True)
            shares = torch.autograd.grad(outputs, units, cotangents, allow_unused=True)
            for total, share in zip(g_units, shares, strict=True):
                if share is not None:
                    total.add_(share)
        self.left, self.by_a, self.by_v, self.arrived = (), [], [], []

    def weight_gradients(self) -> list[Tensor]:
        """One large product over all steps for each matrix."""
        gradients = []
        for weight, _, operands in self.products:
            v_tbf = torch.stack([_beside(variables, operands) for variables in self.before])
            d_tbf = self.d_tbf[..., : len(weight)]
            gradients.append(d_tbf.flatten(0, 1).t() @ v_tbf.flatten(0, 1))
        return gradients


def _beside(variables: State, operands: tuple[int, ...]) -> Tensor:
    if len(operands) == 1:
        return variables[operands[0]]
    return torch.cat([variables[i] for i in operands], -1)


def _ones(like: Tensor) -> Tensor:
    return like.new_ones(()).expand_as(like)
