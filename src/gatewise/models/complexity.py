"""What a task fixes about its models, and what a variant of that size is made of, on paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from gatewise.artifacts.prepared import TaskCard
from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models import cells


@dataclass(frozen=True)
class Sizes:
    """What a task fixes about its models."""

    outputs: int
    """Numbers that the model gives: a logit a class, a value a step of the horizon, ..."""
    features: int | None = None
    """Features per step, for sequences of vectors."""
    vocabulary: int | None = None
    """Number of token ids, for text."""
    normalise: Literal["none", "clip", "train"] = "none"
    per_step: bool = False
    """Whether outputs are given at every step; nothing is pooled then."""

    def __post_init__(self) -> None:
        if (self.features is None) == (self.vocabulary is None):
            raise GatewiseError("a task has either features per step or a vocabulary")

    @classmethod
    def of(cls, card: TaskCard) -> Sizes:
        """Sizes of a prepared task."""
        target = card.target
        outputs = len(card.labels) if target.outputs is None else target.outputs
        return cls(outputs, card.features, card.vocabulary, card.normalise, target.per_step)

    def input_size(self, variant: VariantConfig) -> int:
        """Width of what enters the first recurrent layer."""
        return variant.embedding if self.features is None else self.features


def cell_options(variant: VariantConfig) -> dict[str, Any]:
    """The variant's settings that its cell takes beside the two sizes."""
    return {} if variant.projection is None else {"projection": variant.projection}


def _layer_inputs(variant: VariantConfig, sizes: Sizes) -> list[int]:
    return [sizes.input_size(variant)] + [output_size(variant)] * (variant.layers - 1)


def output_size(variant: VariantConfig) -> int:
    """Width of the recurrence's output: that of the cell, twice if bidirectional."""
    width = cells.get(variant.cell).output_size(hidden_size(variant), **cell_options(variant))
    return width * (1 + variant.bidirectional)


def recurrent_parameters(variant: VariantConfig, sizes: Sizes) -> int:
    """Trainable parameters of the recurrence: all layers and directions."""
    count, options = cells.get(variant.cell).parameter_count, cell_options(variant)
    one_way = sum(count(i, hidden_size(variant), **options) for i in _layer_inputs(variant, sizes))
    return one_way * (1 + variant.bidirectional)


def macs_per_step(variant: VariantConfig, sizes: Sizes) -> int:
    """Multiply-accumulates of the recurrence for one step of one sequence."""
    count, options = cells.get(variant.cell).macs_per_step, cell_options(variant)
    one_way = sum(count(i, hidden_size(variant), **options) for i in _layer_inputs(variant, sizes))
    return one_way * (1 + variant.bidirectional)


def parameters(variant: VariantConfig, sizes: Sizes) -> int:
    """Trainable parameters of the whole model: embedding, recurrence, pooling, classifier."""
    width = output_size(variant)
    embedding = 0 if sizes.vocabulary is None else sizes.vocabulary * variant.embedding
    pooled = variant.pooling == "attention" and not sizes.per_step
    attention = width if pooled else 0
    classifier = (width + 1) * sizes.outputs
    return embedding + recurrent_parameters(variant, sizes) + attention + classifier


def hidden_size(variant: VariantConfig) -> int:
    """Width of the variant's cells.

    Raises:
        GatewiseError: it hangs on a budget and is not solved yet.
    """
    if variant.hidden is None:
        raise GatewiseError(
            "the variant's width is not solved yet; see gatewise.models.budget.resolve"
        )
    return variant.hidden
