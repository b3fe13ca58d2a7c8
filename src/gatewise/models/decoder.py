"""The half of an encoder-decoder that says the answer, symbol by symbol."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from gatewise.artifacts.objectives.base import UNHEARD, Saying
from gatewise.config import VariantConfig
from gatewise.models.attention import KINDS, Memory
from gatewise.models.bridge import Bridge, summary
from gatewise.models.cells import State
from gatewise.models.complexity import decoding
from gatewise.models.dropout import Dropout
from gatewise.models.lengths import Lengths
from gatewise.models.linear import Linear
from gatewise.models.recurrence import Recurrence
from gatewise.models.seeding import seeded


class Encoded(NamedTuple):
    """A batch as the encoder leaves it to the decoder."""

    memory: Memory
    states: list[State]
    """That the decoder starts from, one a layer."""

    def select(self, rows: Tensor) -> Encoded:
        """Those of some examples."""
        return Encoded(self.memory.select(rows), select(self.states, rows))


class Decoder(nn.Module):
    """What was said so far and what the encoder read to logits of the next symbol.

    A recurrence of the variant's own cell, as wide and as deep as the encoder's and forward in
    time. It starts from what the encoder ended with (`Bridge`) and gets the symbol that stands
    before the one asked for, embedded; attention looks at the encoder's outputs from its own
    (`gatewise.models.attention`). Output `V` of `V` symbols is the end. The table of its inputs
    has two more rows: `V` for the start, `V + 1` for a symbol that training has never shown.

    Where the input has a summary of its own, the decoder is told of it at every step as well, as
    something added to the symbol's embedding (cf. Mao et al. 2015, section 4).
    """

    def __init__(
        self, variant: VariantConfig, saying: Saying, width: int, summary_width: int | None = None
    ) -> None:
        """Built from torch's generator, each part from a seed of its own.

        Args:
            variant: with its width solved.
            saying: how the answer is said.
            width: of the encoder's outputs.
            summary_width: of the input's own summary; left out, there is none, and the first state
                is made from one output.
        """
        super().__init__()
        own, seeds = decoding(variant), torch.randint(2**62, (5,)).tolist()
        self.bidirectional = variant.bidirectional
        self.start = self.end = saying.symbols
        self.unheard = saying.symbols + 1
        rows = saying.symbols + 2
        self.embedding = seeded(seeds[0], lambda: nn.Embedding(rows, variant.embedding))
        self.input_dropout = Dropout(variant.input_dropout)
        self.recurrence = seeded(seeds[1], lambda: Recurrence(own, variant.embedding))
        self.bridge = seeded(seeds[2], lambda: Bridge(summary_width or width, self.recurrence))
        out = self.recurrence.output_size
        self.attention = seeded(seeds[3], lambda: KINDS[saying.attention](out, width))
        self.whole: Linear | None = None
        if summary_width is not None:
            seed, into = int(torch.randint(2**62, ())), variant.embedding
            self.whole = seeded(seed, lambda: Linear(summary_width, into, bias=False))
        self.dropout = Dropout(variant.dropout)
        self.classifier = seeded(seeds[4], lambda: Linear(out, saying.symbols + 1))

    def begin(self, y_tbh: Tensor, of: Lengths) -> Encoded:
        """Before the first step: what to look at, and the states to start from.

        Args:
            y_tbh: outputs of the encoder, `(time, batch, width)`.
            of: their lengths.
        """
        values = y_tbh.transpose(0, 1)
        padding = None if of.full else ~of.mask[..., 0].t()[:, None]
        return self.begin_from(
            values, summary(y_tbh, of, bidirectional=self.bidirectional), padding
        )

    def begin_from(
        self, values_bte: Tensor, summary_bf: Tensor, padding: Tensor | None = None
    ) -> Encoded:
        """As `begin`, from what there is to look at and what the first states are made from."""
        whole = None if self.whole is None else self.whole(summary_bf)
        memory = Memory(values_bte, self.attention.keys(values_bte), padding, whole)
        return Encoded(memory, self.bridge(summary_bf))

    def hidden(self, encoded: Encoded, symbols: Tensor) -> Tensor:
        """What each symbol is decided from, given those before it: `(batch, steps + 1, width)`.

        Args:
            encoded: a batch.
            symbols: `(batch, steps)`, padded with any; one more step is for the end.
        """
        outputs: Tensor = self.attention(self.outputs(encoded, symbols), encoded.memory)
        dropped: Tensor = self.dropout(outputs)
        return dropped

    def outputs(self, encoded: Encoded, symbols: Tensor) -> Tensor:
        """Of the recurrence, `(batch, steps + 1, width)`: all steps at once."""
        heard = torch.where(symbols == UNHEARD, self.unheard, symbols)
        given = torch.cat([heard.new_full((len(heard), 1), self.start), heard], 1)
        x_sbe = self._embedded(given.t(), encoded.memory.whole)
        y_sbh, _ = self.recurrence.advance(x_sbe, encoded.states)
        return y_sbh.transpose(0, 1)

    def advance(
        self, symbols: Tensor, states: list[State], memory: Memory
    ) -> tuple[Tensor, list[State]]:
        """One step of several texts of each example.

        Args:
            symbols: that was said last, `(batch, texts)`; `start` before the first.
            states: one a layer, of `batch * texts` rows.
            memory: of `batch` examples.

        Returns:
            Logits `(batch, texts, symbols and end)`, and the states after the step.
        """
        whole = memory.whole
        if whole is not None:
            whole = whole.repeat_interleave(symbols.shape[1], 0)
        x_1be = self._embedded(symbols.reshape(1, -1), whole)
        y_1bh, states = self.recurrence.advance(x_1be, states)
        outputs = self.attention(y_1bh.view(*symbols.shape, -1), memory)
        logits: Tensor = self.classifier(self.dropout(outputs))
        return logits, states

    def _embedded(self, symbols_sb: Tensor, whole_be: Tensor | None) -> Tensor:
        """What the recurrence gets, `(steps, batch, embedding)`."""
        embedded: Tensor = self.input_dropout(self.embedding(symbols_sb))
        return embedded if whole_be is None else embedded + whole_be


def select(states: list[State], rows: Tensor) -> list[State]:
    """Rows of the states of all layers."""
    return [tuple(part[rows] for part in state) for state in states]
