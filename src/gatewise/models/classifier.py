"""Sequence classifiers around a cell: input, depth and direction, pooling, decision.

Batches are padded at the end and come with their lengths. Nothing here packs: a recurrence
looks only backwards, so outputs before a sequence's end never see its padding; the reverse
direction turns each sequence round within its own length; pooling masks the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn

from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models import cells
from gatewise.models.cells import Cell, State
from gatewise.models.cells.base import Kernel
from gatewise.models.complexity import Sizes, cell_options, hidden_size, output_size
from gatewise.models.initialisation import CHRONO_STEPS, initialise
from gatewise.models.lengths import Lengths

_Part = TypeVar("_Part")


class Recurrence(nn.Module):
    """Layers and directions of one kind of cell: `(time, batch, input)` to `(.., output)`."""

    def __init__(self, variant: VariantConfig, input_size: int) -> None:
        super().__init__()
        kind, hidden, options = cells.get(variant.cell), hidden_size(variant), cell_options(variant)
        self.output_size = output_size(variant)
        self.residual = variant.residual
        self.bidirectional = variant.bidirectional
        self.dropout = nn.Dropout(variant.dropout)
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
        return self._cells()[0].kernel

    def compile_steps(self) -> None:
        """Compile what goes step by step; a fused kernel leaves nothing for a compiler to do."""
        for cell in self._cells():
            if cell.kernel == "unrolled":
                cell.step = torch.compile(cell.step, dynamic=True)  # type: ignore[method-assign]

    def _cells(self) -> list[Cell]:
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

    def initial_state(self, batch: int) -> list[State]:
        """One state a layer, for `step`."""
        return [cell.initial_state(batch) for cell in self._cells()]

    def step(self, x_t: Tensor, state: list[State]) -> tuple[Tensor, list[State]]:
        """One step through all layers: `(batch, input)` to `(batch, output)`.

        Raises:
            GatewiseError: the recurrence is bidirectional and cannot stream.
        """
        if self.bidirectional:
            raise GatewiseError(
                "a bidirectional variant needs the whole sequence and cannot be streamed"
            )
        after = []
        for cell, old in zip(self._cells(), state, strict=True):
            y_t, new = cell.core(x_t, old)
            after.append(new)
            x_t = self._add(x_t, y_t)
        return x_t, after

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


class Pooling(nn.Module):
    """`(time, batch, width)` to `(batch, width)`, blind to padding."""

    def __init__(self, kind: Literal["last", "mean", "max", "attention"], width: int) -> None:
        super().__init__()
        self.kind = kind
        # No bias: it would move every step's score alike, which a softmax does not see.
        self.score = nn.Linear(width, 1, bias=False) if kind == "attention" else None

    def forward(self, x_tbf: Tensor, lengths: Lengths) -> Tensor:
        """Pool over each sequence's own steps."""
        if self.kind == "last":
            return lengths.last(x_tbf)
        if self.kind == "mean":
            return lengths.mean(x_tbf)
        if self.kind == "max":
            x_tbf = x_tbf if lengths.full else x_tbf.masked_fill(~lengths.mask, -torch.inf)
            return x_tbf.amax(0)
        assert self.score is not None  # noqa: S101  (for the type checker)
        score = self.score(x_tbf)
        if not lengths.full:
            score = score.masked_fill(~lengths.mask, -torch.inf)
        pooled: Tensor = (score.softmax(0) * x_tbf).sum(0)
        return pooled


class SequenceClassifier(nn.Module):
    """A variant, built for a task: sequences to class logits.

    Takes float `(batch, time, features)`, not normalised, or integer tokens `(batch, time)`
    with 0 for padding, and lengths `(batch,)`; gives logits `(batch, classes)`.

    Each part starts from its own seed drawn from torch's global generator, so two variants
    built after the same `torch.manual_seed` have equal embeddings and, where widths agree,
    equal classifiers, whatever their cells drew in between.
    """

    input_mean: Tensor
    input_std: Tensor

    def __init__(self, variant: VariantConfig, sizes: Sizes) -> None:
        super().__init__()
        self.variant = variant
        self.sizes = sizes
        width = sizes.input_size(variant)
        seeds = torch.randint(2**62, (3,)).tolist()
        if sizes.vocabulary is not None:
            words = sizes.vocabulary
            self.embedding = _seeded(
                seeds[0], lambda: nn.Embedding(words, variant.embedding, padding_idx=0)
            )
        if sizes.normalise == "train":
            self.register_buffer("input_mean", torch.zeros(width))
            self.register_buffer("input_std", torch.ones(width))
        self.input_dropout = nn.Dropout(variant.input_dropout)
        self.recurrence = _seeded(seeds[1], lambda: Recurrence(variant, width))
        self.pooling, self.classifier = _seeded(seeds[2], self._head)
        self.dropout = nn.Dropout(variant.dropout)

    def _head(self) -> tuple[Pooling, nn.Linear]:
        width = self.recurrence.output_size
        classifier = nn.Linear(width, self.sizes.classes)
        return Pooling(self.variant.pooling, width), classifier

    @property
    def kernel(self) -> Kernel:
        """What computes the recurrence: `fused` or `unrolled`."""
        return self.recurrence.kernel

    def set_input_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Give the training split's per-feature statistics (for `normalise: train`).

        Raises:
            GatewiseError: the task is not normalised so, or the widths differ.
        """
        if self.sizes.normalise != "train":
            raise GatewiseError(
                f"input statistics belong to `normalise: train`, not {self.sizes.normalise!r}"
            )
        if mean.shape != self.input_mean.shape or std.shape != self.input_std.shape:
            raise GatewiseError(
                f"input statistics have {tuple(mean.shape)} and {tuple(std.shape)} values for "
                f"{self.sizes.features} features"
            )
        self.input_mean.copy_(mean)
        # A feature that never varies carries nothing: it becomes zero, not infinite.
        self.input_std.copy_(torch.where(std > 0, std, 1.0))

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Logits of a padded batch."""
        of = Lengths(lengths, inputs.shape[1])
        outputs = self.recurrence(self.input_dropout(self._encode(inputs, of)), of)
        logits: Tensor = self.classifier(self.dropout(self.pooling(outputs, of)))
        return logits

    def _encode(self, inputs: Tensor, lengths: Lengths) -> Tensor:
        x_tbf = inputs.transpose(0, 1)
        if self.sizes.vocabulary is not None:
            embedded: Tensor = self.embedding(x_tbf)
            return embedded
        if self.sizes.normalise == "train":
            return (x_tbf - self.input_mean) / self.input_std
        if self.sizes.normalise == "clip":
            return x_tbf - lengths.mean(x_tbf)
        return x_tbf

    def initial_state(self, batch: int) -> list[State]:
        """One state a layer, for `step`."""
        return self.recurrence.initial_state(batch)

    def step(self, x_t: Tensor, state: list[State]) -> tuple[Tensor, list[State]]:
        """One step of the recurrence, as in streaming.

        Takes features `(batch, features)` or tokens `(batch,)`; gives the recurrence's output
        `(batch, width)` and the states. A clip's own mean is not known before its end: with
        `normalise: clip` the caller subtracts an estimate.

        Raises:
            GatewiseError: the variant is bidirectional.
        """
        if self.sizes.vocabulary is not None:
            x_t = self.embedding(x_t)
        elif self.sizes.normalise == "train":
            x_t = (x_t - self.input_mean) / self.input_std
        return self.recurrence.step(x_t, state)


def _seeded(seed: int, build: Callable[[], _Part]) -> _Part:
    """Build something from its own seed and leave the global generator where it was."""
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        return build()
    finally:
        torch.set_rng_state(before)


def check(variant: VariantConfig) -> None:
    """Refuse a variant that no task could build; costs next to nothing, and needs no data.

    Raises:
        GatewiseError: there is no such cell, or it cannot have these options, start or kernel.
    """
    # A width that is still to be solved leaves room for any projection.
    width = variant.hidden or 1 + (variant.projection or 0)
    with torch.device("meta"):
        Recurrence(variant.model_copy(update={"hidden": width}), input_size=1)
