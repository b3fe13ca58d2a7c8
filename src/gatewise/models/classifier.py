"""Sequence models: input, recurrence, pooling, decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models.cells import State
from gatewise.models.cells.base import Kernel
from gatewise.models.complexity import Sizes
from gatewise.models.dropout import Dropout
from gatewise.models.lengths import Lengths
from gatewise.models.pooling import Pooling
from gatewise.models.recurrence import Recurrence
from gatewise.models.word_dropout import WordDropout

_Part = TypeVar("_Part")


class SequenceClassifier(nn.Module):
    """A variant, built for a task: sequences to class logits, or to what else is asked for.

    Takes float `(batch, time, features)`, not normalised, or integer tokens `(batch, time)`
    with 0 for padding, and lengths `(batch,)`; gives logits `(batch, outputs)`, or
    `(batch, time, outputs)` where the task asks for some at every step.

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
            self.word_dropout = WordDropout(variant.word_dropout)
        if sizes.normalise == "train":
            self.register_buffer("input_mean", torch.zeros(width))
            self.register_buffer("input_std", torch.ones(width))
        self.input_dropout = Dropout(variant.input_dropout)
        self.recurrence = _seeded(seeds[1], lambda: Recurrence(variant, width))
        self.pooling, self.classifier = _seeded(seeds[2], self._head)
        self.dropout = Dropout(variant.dropout)

    def _head(self) -> tuple[Pooling | None, nn.Linear]:
        width = self.recurrence.output_size
        classifier = nn.Linear(width, self.sizes.outputs)
        if self.sizes.per_step:
            return None, classifier
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

    def start_embeddings(self, vectors: Tensor, words: Tensor) -> None:
        """Let some words' embeddings start elsewhere than at random.

        Args:
            vectors: `(words, embedding)`.
            words: their ids, `(words,)`.
        """
        with torch.no_grad():
            self.embedding.weight[words] = vectors.to(self.embedding.weight)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Logits of a padded batch."""
        of = Lengths(lengths, inputs.shape[1])
        if self.sizes.vocabulary is not None:
            inputs = self.word_dropout(inputs)
        x_tbf = self._encode(inputs.transpose(0, 1))
        if self.sizes.normalise == "clip":
            x_tbf = x_tbf - of.mean(x_tbf)
        outputs = self.recurrence(self.input_dropout(x_tbf), of)
        if self.pooling is None:
            every: Tensor = self.classifier(self.dropout(outputs))
            return every.transpose(0, 1)
        logits: Tensor = self.classifier(self.dropout(self.pooling(outputs, of)))
        return logits

    def _encode(self, x: Tensor) -> Tensor:
        """What the recurrence takes, as far as single steps tell: `(.., features)` or `(..)`."""
        if self.sizes.vocabulary is not None:
            embedded: Tensor = self.embedding(x)
            return embedded
        if self.sizes.normalise == "train":
            return (x - self.input_mean) / self.input_std
        return x

    def initial_state(self, batch: int) -> list[State]:
        """One state a layer, for `core`."""
        return self.recurrence.initial_state(batch)

    def core(self, x_t: Tensor, state: list[State]) -> tuple[Tensor, list[State]]:
        """One step of the recurrence, as in streaming.

        Takes features `(batch, features)` or tokens `(batch,)`; gives the recurrence's output
        `(batch, width)` and the states. A clip's own mean is not known before its end: with
        `normalise: clip` the caller subtracts an estimate.

        Raises:
            GatewiseError: the variant is bidirectional.
        """
        return self.recurrence.core(self._encode(x_t), state)


def _seeded(seed: int, build: Callable[[], _Part]) -> _Part:
    """Build something from its own seed and leave the global generator where it was."""
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        return build()
    finally:
        torch.set_rng_state(before)
