"""Models that say their answer symbol by symbol: an encoder, and a decoder of the same cell."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gatewise.artifacts.objectives.base import SILENT, UNHEARD, Answered, Saying
from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models import beam, references
from gatewise.models.batch import Batch
from gatewise.models.beam import Said, Search
from gatewise.models.cells import State
from gatewise.models.complexity import Sizes
from gatewise.models.decoder import Decoder, Encoded
from gatewise.models.lengths import Lengths
from gatewise.models.seeding import seeded
from gatewise.models.sequence_model import SequenceModel

AT_ONCE = 1 << 23
"""Numbers in the logits of what is computed at once outside training: 32 MiB."""


class SequenceGenerator(SequenceModel):
    """Sequences to sequences of symbols (Sutskever et al. 2014; Bahdanau et al. 2015).

    Shown the targets, all their steps are computed at once. By itself it says a text by a search
    that ends after `longest` symbols: those of the task, or the most that training has shown.
    """

    longest: Tensor

    def __init__(self, variant: VariantConfig, sizes: Sizes) -> None:
        super().__init__(variant, sizes)
        saying = _saying(sizes)
        self.decoder = seeded(self._seed, lambda: self._build_decoder(saying))
        self.beam = saying.beam
        self.register_buffer("longest", torch.tensor(saying.longest or 0))

    def _build_decoder(self, saying: Saying) -> Decoder:
        return Decoder(self.variant, saying, self.recurrence.output_size)

    def set_longest(self, symbols: int) -> None:
        """Give the most symbols that are said; weights keep it."""
        self.longest.fill_(symbols)

    def compile_steps(self) -> None:
        """Compile what goes step by step, in both halves."""
        super().compile_steps()
        self.decoder.recurrence.compile_steps()

    def core(self, x_t: Tensor, state: list[State]) -> tuple[Tensor, list[State]]:
        """Refused.

        Raises:
            GatewiseError: always; what is said first may hang on what is read last.
        """
        del x_t, state
        raise GatewiseError(
            "a model that says its answer reads the whole input first and cannot be streamed; "
            "give it whole sequences"
        )

    def forward(self, inputs: Tensor, lengths: Tensor, symbols: Tensor) -> Tensor:
        """Logits `(batch, steps + 1, symbols and end)` of each symbol, given those before it.

        Args:
            inputs: a padded batch.
            lengths: of each sequence.
            symbols: what should be said, `(batch, steps)`, padded at the end with any symbol.
        """
        logits: Tensor = self.decoder.classifier(
            self.decoder.hidden(self.encoded(inputs, lengths), symbols)
        )
        return logits

    def taught(self, batch: Batch) -> Answered:
        """Logits, each symbol's given the right ones before it (teacher forcing)."""
        return Answered(self(batch.inputs, batch.lengths, batch.targets), *batch[1:])

    def answered(self, batch: Batch) -> Answered:
        """What it says, and how likely it finds the first of the right answers."""
        encoded = self.encoded(batch.inputs, batch.lengths)
        said = self.say(encoded)
        if batch.target_lengths is None:
            outputs = said.log_probability[:, None]
        else:
            outputs = self.log_probabilities(
                encoded, *references.first(batch.targets, batch.target_lengths)
            )
        return Answered(outputs, *batch[1:], said=said.symbols)

    def encoded(self, inputs: Tensor, lengths: Tensor) -> Encoded:
        """What the decoder starts from."""
        of = Lengths(lengths, inputs.shape[1])
        return self.decoder.begin(self.encode(inputs, of), of)

    def say(self, encoded: Encoded) -> Said:
        """The best text that the search finds for each example, some examples at a time.

        Raises:
            GatewiseError: nobody has said how long one may be.
        """
        longest = int(self.longest)
        if longest < 1:
            raise GatewiseError("a model that says its answer needs `set_longest`, or weights")
        how = Search(self.beam, longest, self.decoder.start, self.decoder.end)
        count = len(encoded.memory.values)
        rows = torch.arange(count, device=encoded.memory.values.device)
        chunk = max(1, AT_ONCE // (self.beam * (self.decoder.end + 1)))
        if count <= chunk:
            return beam.search(self.decoder.advance, encoded, how)
        parts = [
            beam.search(self.decoder.advance, encoded.select(part), how)
            for part in torch.split(rows, chunk)
        ]
        return Said(_padded([part.symbols for part in parts]), torch.cat([p[1] for p in parts]))

    def log_probabilities(self, encoded: Encoded, symbols: Tensor, lengths: Tensor) -> Tensor:
        """Of each symbol of a text and its end, given those before, `(batch, longest + 1)`.

        A symbol that training has never shown is as likely as by a guess among all outputs: what
        it really is no output says. Beyond the end there are zeros. Only real symbols reach the
        output layer.

        Args:
            encoded: a batch.
            symbols: `(batch, longest)`, padded with any.
            lengths: of each text, `(batch,)`.
        """
        steps = torch.arange(symbols.shape[1] + 1, device=symbols.device)
        real = steps <= lengths[:, None]
        wanted = torch.cat([symbols, symbols[:, :1]], 1)
        wanted = wanted.masked_fill(steps == lengths[:, None], self.decoder.end)[real]
        hidden = self.decoder.hidden(encoded, symbols)[real]
        chunk = max(1, AT_ONCE // (self.decoder.end + 1))
        pairs = zip(torch.split(hidden, chunk), torch.split(wanted, chunk), strict=True)
        logs = torch.cat([self._log_probability(*pair) for pair in pairs])
        return logs.new_zeros(real.shape).masked_scatter(real, logs)

    def _log_probability(self, hidden: Tensor, wanted: Tensor) -> Tensor:
        """Of the symbols `wanted (rows,)`, from what they are decided from `(rows, width)`."""
        logs = self.decoder.classifier(hidden).float().log_softmax(-1)
        unheard = wanted == UNHEARD
        found: Tensor = logs.gather(1, wanted.masked_fill(unheard, 0)[:, None])[:, 0]
        return torch.where(unheard, -math.log(logs.shape[1]), found)

    def attention(self, inputs: Tensor, lengths: Tensor, symbols: Tensor) -> Tensor:
        """Where in the input it looks for each symbol and the end: `(batch, steps + 1, time)`.

        Args:
            inputs: a padded batch.
            lengths: of each sequence.
            symbols: what is said, `(batch, steps)`, padded at the end with any symbol.

        Raises:
            GatewiseError: its attention is `none`.
        """
        if not self.decoder.attention.looks:
            raise GatewiseError("attention: none looks nowhere; choose dot or additive")
        encoded = self.encoded(inputs, lengths)
        outputs = self.decoder.outputs(encoded, symbols)
        return self.decoder.attention.weights(outputs, encoded.memory)


def _saying(sizes: Sizes) -> Saying:
    if sizes.saying is None:
        raise GatewiseError("these sizes are those of a model that gives numbers; see `build`")
    return sizes.saying


def _padded(parts: list[Tensor]) -> Tensor:
    """Texts of several batches in one, `(examples, longest)`."""
    longest = max(part.shape[1] for part in parts)
    pad = torch.nn.functional.pad
    return torch.cat([pad(part, (0, longest - part.shape[1]), value=SILENT) for part in parts])
