"""What a task fixes about its models, and what a variant of that size is made of, on paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch

from gatewise.artifacts.objectives.base import Saying
from gatewise.artifacts.prepared import TaskCard
from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models import attention, cells
from gatewise.models.regions import Regions


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
    saying: Saying | None = None
    """How the answer is said symbol by symbol; nothing where it is those numbers."""
    regions: Regions | None = None
    """How images are read where their regions are; nothing where their steps are."""

    def __post_init__(self) -> None:
        if (self.features is None) == (self.vocabulary is None):
            raise GatewiseError("a task has either features per step or a vocabulary")

    @classmethod
    def of(cls, card: TaskCard) -> Sizes:
        """Sizes of a prepared task."""
        target = card.target
        outputs = len(card.labels) if target.outputs is None else target.outputs
        saying = card.asks.saying(card.labels)
        return cls(
            outputs,
            card.features,
            card.vocabulary,
            card.normalise,
            target.per_step,
            saying,
            Regions.of(card.front_end),
        )

    def input_size(self, variant: VariantConfig) -> int:
        """Width of what enters the first recurrent layer."""
        return variant.embedding if self.features is None else self.features


def cell_options(variant: VariantConfig) -> dict[str, Any]:
    """The variant's settings that its cell takes beside the two sizes."""
    return {} if variant.projection is None else {"projection": variant.projection}


def decoding(variant: VariantConfig) -> VariantConfig:
    """The variant as a decoder is built of it: of its own cell, and forward in time."""
    return variant.model_copy(update={"bidirectional": False})


def output_size(variant: VariantConfig) -> int:
    """Width of the recurrence's output: that of the cell, twice if bidirectional."""
    width = cells.get(variant.cell).output_size(hidden_size(variant), **cell_options(variant))
    return width * (1 + variant.bidirectional)


def recurrent_parameters(variant: VariantConfig, sizes: Sizes) -> int:
    """Trainable parameters of the recurrence: all layers and directions, and a decoder's."""
    count, options = cells.get(variant.cell).parameter_count, cell_options(variant)
    return sum(
        count(width, hidden_size(variant), **options) for width in _cell_inputs(variant, sizes)
    )


def macs_per_step(variant: VariantConfig, sizes: Sizes) -> int:
    """Multiply-accumulates of the recurrence for one step of one sequence.

    Where the answer is said, for one step of the input and one of the answer, with the attention
    between the two.
    """
    return sequence_macs(variant, sizes, 1, 1)


def sequence_macs(
    variant: VariantConfig, sizes: Sizes, steps: int, said: int, pairs: int = 0
) -> int:
    """Multiply-accumulates of the recurrence for some sequences, and of what finds regions.

    Args:
        variant: with its width solved.
        sizes: what the task fixes.
        steps: of their inputs, summed up.
        said: of their answers with their ends, summed up; 0 for models that say none.
        pairs: of a step of an input and one of its answer, summed up; as of one sequence if 0.
    """
    one_way = 0 if sizes.regions else _one_way(variant, sizes.input_size(variant))
    encoder = steps * one_way * (1 + variant.bidirectional)
    if sizes.saying is None:
        return encoder
    own = decoding(variant)
    read, spoken, both = attention.KINDS[sizes.saying.attention].macs(
        output_size(own), _encoded_width(variant, sizes)
    )
    decoder = said * (_one_way(own, variant.embedding) + spoken)
    pairs = pairs or steps * said
    if sizes.regions is None:
        return encoder + steps * read + decoder + pairs * both
    rows, places = sizes.regions.height, sizes.regions.count
    looked_at = (steps * (sizes.regions.macs + places * read) + pairs * places * both) // rows
    return looked_at + decoder


def _one_way(variant: VariantConfig, width: int) -> int:
    """Multiply-accumulates of all layers in one direction, the first of which gets `width`."""
    count, options = cells.get(variant.cell).macs_per_step, cell_options(variant)
    return sum(count(i, hidden_size(variant), **options) for i in _layer_inputs(variant, width))


def _layer_inputs(variant: VariantConfig, width: int) -> list[int]:
    return [width] + [output_size(variant)] * (variant.layers - 1)


def _cell_inputs(variant: VariantConfig, sizes: Sizes) -> list[int]:
    """What every cell of the model gets."""
    encoder = _layer_inputs(variant, sizes.input_size(variant)) * (1 + variant.bidirectional)
    if sizes.saying is None:
        return encoder
    decoder = _layer_inputs(decoding(variant), variant.embedding)
    return decoder if sizes.regions else encoder + decoder


def parameters(variant: VariantConfig, sizes: Sizes) -> int:
    """Trainable parameters of the whole model: embeddings, recurrence, what decides."""
    embedding = 0 if sizes.vocabulary is None else sizes.vocabulary * variant.embedding
    regions = 0 if sizes.regions is None else sizes.regions.parameters
    decides = _head(variant, sizes)
    if sizes.saying is not None:
        decides = _decoder(variant, sizes, sizes.saying)
    return embedding + regions + recurrent_parameters(variant, sizes) + decides


def _head(variant: VariantConfig, sizes: Sizes) -> int:
    """Pooling and classifier."""
    width = output_size(variant)
    pooled = variant.pooling == "attention" and not sizes.per_step
    return (width if pooled else 0) + (width + 1) * sizes.outputs


def _encoded_width(variant: VariantConfig, sizes: Sizes) -> int:
    """Of what a decoder looks at."""
    return output_size(variant) if sizes.regions is None else sizes.regions.features


def _decoder(variant: VariantConfig, sizes: Sizes, saying: Saying) -> int:
    """All of a decoder but its recurrence: embedding, bridge, attention, classifier."""
    own, encoded = decoding(variant), _encoded_width(variant, sizes)
    summary = encoded if sizes.regions is None else sizes.regions.SUMMARY
    width, kind = output_size(own), cells.get(variant.cell)
    with torch.device("meta"):
        carried = sum(kind(1, hidden_size(variant), **cell_options(variant)).carried_sizes())
    bridge = (summary + 1) * carried * variant.layers
    looking = attention.KINDS[saying.attention].parameter_count(width, encoded)
    embedding = (saying.symbols + 2) * variant.embedding
    told = 0 if sizes.regions is None else summary * variant.embedding
    return embedding + told + bridge + looking + (width + 1) * (saying.symbols + 1)


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
