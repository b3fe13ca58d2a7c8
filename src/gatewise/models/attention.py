"""Attention: where in the input a decoder looks at each step.

It reads the decoder's outputs and does not feed back into its states (Luong et al. 2015, section
3.1), so all steps of a target are computed at once, after the recurrence has run through them.
What differs is the score of a step of the input for a step of the output.
"""

from __future__ import annotations

import math
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from gatewise.models.linear import Linear

AT_ONCE = 1 << 24
"""Numbers that scoring keeps side by side where no gradient is asked for: 64 MiB."""


class Memory(NamedTuple):
    """An encoded batch, as attention looks at it."""

    values: Tensor
    """Outputs of the encoder, `(batch, time, width)`."""
    keys: Tensor
    """What scores are computed from, `(batch, time, ...)`."""
    padding: Tensor | None
    """`(batch, 1, time)`, true beyond each sequence's end; nothing where all are of one length."""
    whole: Tensor | None = None
    """What a decoder is told of the whole input beside each symbol, `(batch, embedding)`."""

    def select(self, rows: Tensor) -> Memory:
        """Those of some examples."""
        padding = None if self.padding is None else self.padding[rows]
        whole = None if self.whole is None else self.whole[rows]
        return Memory(self.values[rows], self.keys[rows], padding, whole)


class Attention(nn.Module):
    """None: the decoder has what the encoder ended with, and nothing else."""

    looks: ClassVar[bool] = False
    """Whether there are weights."""

    def __init__(self, width: int, memory_width: int) -> None:
        """Between a decoder's outputs and an encoder's, of these widths."""
        super().__init__()
        self.width, self.memory_width = width, memory_width

    @staticmethod
    def parameter_count(width: int, memory_width: int) -> int:  # noqa: ARG004
        """Trainable parameters."""
        return 0

    @staticmethod
    def macs(width: int, memory_width: int) -> tuple[int, int, int]:  # noqa: ARG004
        """Multiply-accumulates for a step of the input, for one of the output, and for a pair."""
        return 0, 0, 0

    def keys(self, values_bte: Tensor) -> Tensor:
        """What of the encoder's outputs can be computed before the first step."""
        return values_bte

    def forward(self, outputs_bsh: Tensor, memory: Memory) -> Tensor:  # noqa: ARG002
        """The decoder's outputs with what they looked at, `(batch, steps, width)`."""
        return outputs_bsh

    def weights(self, outputs_bsh: Tensor, memory: Memory) -> Tensor:
        """Share of each step of the input at each step, `(batch, steps, time)`; rows sum to 1."""
        scores = self.scores(outputs_bsh, memory.keys)
        if memory.padding is not None:
            scores = scores.masked_fill(memory.padding, -torch.inf)
        return scores.softmax(-1)

    def scores(self, outputs_bsh: Tensor, keys: Tensor) -> Tensor:
        """Of every step of the input for every step of the output, `(batch, steps, time)`."""
        raise NotImplementedError


class _Looking(Attention):
    """What kinds share: `tanh(W [c; s])` of the weighted mean `c` and the decoder's output `s`.

    Luong et al. 2015, equation 5, without a bias.
    """

    looks = True

    def __init__(self, width: int, memory_width: int) -> None:
        super().__init__(width, memory_width)
        self.combine = Linear(memory_width + width, width, bias=False)

    def forward(self, outputs_bsh: Tensor, memory: Memory) -> Tensor:
        """See the class."""
        context = torch.bmm(self.weights(outputs_bsh, memory), memory.values)
        combined: Tensor = torch.tanh(self.combine(torch.cat([context, outputs_bsh], -1)))
        return combined


class DotAttention(_Looking):
    """Scores are products with a matrix between, since widths differ: `s W h`.

    Luong et al. 2015, equation 8, *general*; over the square root of the width, so that weights
    start even whatever it is (Vaswani et al. 2017, section 3.2.1).
    """

    def __init__(self, width: int, memory_width: int) -> None:
        super().__init__(width, memory_width)
        self.key = Linear(memory_width, width, bias=False)

    @staticmethod
    def parameter_count(width: int, memory_width: int) -> int:
        """Two matrices."""
        return memory_width * width + (memory_width + width) * width

    @staticmethod
    def macs(width: int, memory_width: int) -> tuple[int, int, int]:
        """A key; the combination; a score and its share of the mean."""
        return memory_width * width, (memory_width + width) * width, width + memory_width

    def keys(self, values_bte: Tensor) -> Tensor:
        """`W h`, `(batch, time, width)`."""
        keys: Tensor = self.key(values_bte)
        return keys

    def scores(self, outputs_bsh: Tensor, keys: Tensor) -> Tensor:
        """See the class."""
        return torch.bmm(outputs_bsh, keys.transpose(1, 2)) / math.sqrt(self.width)


class AdditiveAttention(_Looking):
    """Scores are a small network's: `v tanh(W s + U h + b)`.

    Bahdanau et al. 2015, appendix A.1.2, on the decoder's outputs and not on its last state.
    """

    def __init__(self, width: int, memory_width: int) -> None:
        super().__init__(width, memory_width)
        self.key = Linear(memory_width, width, bias=False)
        self.query = Linear(width, width)
        self.score = nn.Parameter(torch.empty(width).uniform_(-1, 1) / math.sqrt(width))

    @staticmethod
    def parameter_count(width: int, memory_width: int) -> int:
        """Three matrices, a bias and the vector of the score."""
        return memory_width * width + (memory_width + 2 * width) * width + 2 * width

    @staticmethod
    def macs(width: int, memory_width: int) -> tuple[int, int, int]:
        """A key; a query and the combination; a score and its share of the mean."""
        return memory_width * width, (memory_width + 2 * width) * width, width + memory_width

    def keys(self, values_bte: Tensor) -> Tensor:
        """`U h`, `(batch, time, width)`."""
        keys: Tensor = self.key(values_bte)
        return keys

    def scores(self, outputs_bsh: Tensor, keys: Tensor) -> Tensor:
        """See the class; some steps of the output at a time, so that memory stays bounded."""
        queries = self.query(outputs_bsh)
        chunk = max(1, AT_ONCE // max(1, keys.numel()))
        parts = [
            torch.tanh(part[:, :, None] + keys[:, None]) @ self.score
            for part in torch.split(queries, chunk, dim=1)
        ]
        return torch.cat(parts, 1)


KINDS: dict[str, type[Attention]] = {
    "none": Attention,
    "dot": DotAttention,
    "additive": AdditiveAttention,
}
"""By their names in a task's `objective`."""
