"""What all models of a variant share: inputs, the recurrence over them, how they are asked."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from gatewise.artifacts.objectives.base import Answered
from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models.batch import Batch
from gatewise.models.cells import State
from gatewise.models.cells.base import Kernel
from gatewise.models.complexity import Sizes
from gatewise.models.dropout import Dropout
from gatewise.models.lengths import Lengths
from gatewise.models.recurrence import Recurrence
from gatewise.models.seeding import seeded
from gatewise.models.word_dropout import WordDropout


class SequenceModel(nn.Module, ABC):
    """A variant, built for a task: from a padded batch of sequences to what is asked for.

    Takes float `(batch, time, features)`, not normalised, or integer tokens `(batch, time)`
    with 0 for padding, and lengths `(batch,)`. What is made of the recurrence's outputs is a
    subclass's business; `gatewise.models.building.build` knows which one a task needs.

    Each part starts from its own seed drawn from torch's global generator, so two variants
    built after the same `torch.manual_seed` have equal embeddings and, where widths agree,
    equal outputs, whatever their cells drew in between.
    """

    input_mean: Tensor
    input_std: Tensor

    def __init__(self, variant: VariantConfig, sizes: Sizes) -> None:
        super().__init__()
        self.variant = variant
        self.sizes = sizes
        width = sizes.input_size(variant)
        *seeds, self._seed = torch.randint(2**62, (3,)).tolist()
        if sizes.vocabulary is not None:
            words = sizes.vocabulary
            self.embedding = seeded(
                seeds[0], lambda: nn.Embedding(words, variant.embedding, padding_idx=0)
            )
            self.word_dropout = WordDropout(variant.word_dropout)
        if sizes.normalise == "train":
            self.register_buffer("input_mean", torch.zeros(width))
            self.register_buffer("input_std", torch.ones(width))
        self.input_dropout = Dropout(variant.input_dropout)
        self._build_reader(seeds[1], width)

    def _build_reader(self, seed: int, width: int) -> None:
        """Make what reads the input, of so many features a step."""
        self.recurrence = seeded(seed, lambda: Recurrence(self.variant, width))

    # --- what it is asked ------------------------------------------------------------------

    @abstractmethod
    def taught(self, batch: Batch) -> Answered:
        """What a loss is computed from: the model may be shown the targets."""

    @abstractmethod
    def answered(self, batch: Batch) -> Answered:
        """What the model gives by itself; targets are at most measured against."""

    @property
    def streams(self) -> bool:
        """Whether it can go step by step, as sound or words arrive: `core`."""
        return False

    def initial_state(self, batch: int) -> list[State]:
        """One state a layer, for `core`."""
        return self.recurrence.initial_state(batch)

    def core(self, x_t: Tensor, state: list[State]) -> tuple[Tensor, list[State]]:
        """One step of the recurrence, as in streaming.

        Takes features `(batch, features)` or tokens `(batch,)`; gives the recurrence's output
        `(batch, width)` and the states. A clip's own mean is not known before its end: with
        `normalise: clip` the caller subtracts an estimate.

        Raises:
            GatewiseError: the model needs the whole sequence.
        """
        return self.recurrence.core(self._encode(x_t), state)

    # --- what it is given before training ----------------------------------------------------

    @property
    def kernel(self) -> Kernel:
        """What computes the recurrence: `fused` or `unrolled`."""
        return self.recurrence.kernel

    def compile_steps(self) -> None:
        """Compile what goes step by step; a fused kernel leaves nothing for a compiler to do."""
        self.recurrence.compile_steps()

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

    def set_longest(self, symbols: int) -> None:  # noqa: ARG002
        """Give the most symbols that an answer may have.

        Raises:
            GatewiseError: the model says no answer, symbol by symbol.
        """
        raise GatewiseError("a longest answer belongs to models that say theirs")

    def start_embeddings(self, vectors: Tensor, words: Tensor) -> None:
        """Let some words' embeddings start elsewhere than at random.

        Args:
            vectors: `(words, embedding)`.
            words: their ids, `(words,)`.
        """
        with torch.no_grad():
            self.embedding.weight[words] = vectors.to(self.embedding.weight)

    # --- inner -----------------------------------------------------------------------------

    def encode(self, inputs: Tensor, of: Lengths) -> Tensor:
        """The recurrence's outputs over a padded batch, `(time, batch, width)`."""
        if self.sizes.vocabulary is not None:
            inputs = self.word_dropout(inputs)
        x_tbf = self._encode(inputs.transpose(0, 1))
        if self.sizes.normalise == "clip":
            x_tbf = x_tbf - of.mean(x_tbf)
        outputs: Tensor = self.recurrence(self.input_dropout(x_tbf), of)
        return outputs

    def _encode(self, x: Tensor) -> Tensor:
        """What the recurrence takes, as far as single steps tell: `(.., features)` or `(..)`."""
        if self.sizes.vocabulary is not None:
            embedded: Tensor = self.embedding(x)
            return embedded
        if self.sizes.normalise == "train":
            return (x - self.input_mean) / self.input_std
        return x
