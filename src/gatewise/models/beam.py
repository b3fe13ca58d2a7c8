"""Saying a text step by step: greedily, or by a beam over what could be said.

At each step every text of the beam is continued by every symbol, and the best are kept by the mean
log-probability of their symbols (with the end, where they have one): a sum would prefer short
texts. One that has ended keeps its place until better ones take it, and an example is done when
all of its texts have ended. With a beam of one this takes the likeliest symbol of every step; with
one as wide as there are texts it finds the best of all.

Texts of all examples are followed at once, and an example that is done leaves the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.artifacts.objectives.base import SILENT
from gatewise.models.attention import Memory
from gatewise.models.cells import State
from gatewise.models.decoder import Encoded, select

Advance = Callable[[Tensor, list[State], Memory], tuple[Tensor, list[State]]]
"""As `Decoder.advance`."""


class Said(NamedTuple):
    """What was said of each example."""

    symbols: Tensor
    """int64 `(batch, longest)`, padded with `SILENT` at the end."""
    log_probability: Tensor
    """Of the symbols and the end after them, `(batch,)`."""


@dataclass(frozen=True)
class Search:
    """How a text is looked for."""

    beam: int
    """Texts that are followed."""
    longest: int
    """Most symbols of one; after them only the end is left to say."""
    start: int
    """What stands before the first symbol."""
    end: int
    """The last output."""


@dataclass
class _Texts:
    """Those followed, of the examples that are not done: `(examples, beam)` each."""

    scores: Tensor
    """Log-probabilities; minus infinity where a place of the beam is not taken."""
    lengths: Tensor
    """Symbols and end."""
    ended: Tensor
    symbols: Tensor
    """`(examples, beam, steps)`."""

    @classmethod
    def none(cls, examples: int, beam: int, like: Tensor) -> _Texts:
        """Nothing said yet, by one text of each example."""
        scores = like.new_full((examples, beam), -torch.inf)
        scores[:, 0] = 0
        lengths = torch.zeros((examples, beam), dtype=torch.int64, device=like.device)
        return cls(scores, lengths, lengths.bool(), lengths[..., None][..., :0])

    def continued(self, logs: Tensor, end: int) -> Tensor:
        """The best ones after one more symbol; gives which texts they continue.

        Args:
            logs: log-probabilities of each text's next symbol, `(examples, beam, end + 1)`.
            end: the symbol after which there is none.
        """
        beam, outputs = logs.shape[1:]
        total = self.scores[..., None] + logs
        # A text that has ended has one continuation, itself.
        total.masked_fill_(self.ended[..., None], -torch.inf)
        total[..., end] = torch.where(self.ended, self.scores, total[..., end])
        lengths = self.lengths + ~self.ended
        best = (total / lengths[..., None]).flatten(1).topk(beam).indices
        parents, symbols = best // outputs, best % outputs
        before = self.ended.gather(1, parents)
        self.scores = total.flatten(1).gather(1, best)
        self.lengths = lengths.gather(1, parents)
        said = symbols.masked_fill(before | (symbols == end), SILENT)
        earlier = self.symbols.gather(1, parents[..., None].expand(-1, -1, self.symbols.shape[2]))
        self.symbols = torch.cat([earlier, said[..., None]], 2)
        self.ended = before | (symbols == end) | self.scores.isneginf()
        return parents

    def keep(self, rows: Tensor) -> None:
        """Those of some examples, and no others."""
        self.scores, self.lengths = self.scores[rows], self.lengths[rows]
        self.ended, self.symbols = self.ended[rows], self.symbols[rows]


def search(advance: Advance, encoded: Encoded, how: Search) -> Said:
    """The best text of each example.

    Args:
        advance: one step of the decoder.
        encoded: the examples.
        how: how to look.
    """
    memory, beam = encoded.memory, how.beam
    examples, device = len(memory.values), memory.values.device
    alive = torch.arange(examples, device=device)
    symbols = torch.full((examples, how.longest), SILENT, dtype=torch.int64, device=device)
    found = memory.values.new_zeros(examples, dtype=torch.float32)
    states = select(encoded.states, alive.repeat_interleave(beam))
    last = torch.full((examples, beam), how.start, device=device)
    texts: _Texts | None = None
    for step in range(how.longest + 1):
        logits, states = advance(last, states, memory)
        logs = logits.float().log_softmax(-1)
        if step == how.longest:
            logs[..., : how.end] = -torch.inf
        texts = texts or _Texts.none(examples, beam, logs)
        parents = texts.continued(logs, how.end)
        done = texts.ended.all(1)
        said = texts.symbols[done, 0, : how.longest]
        symbols[alive[done], : said.shape[1]] = said
        found[alive[done]] = texts.scores[done, 0]
        going = torch.nonzero(~done)[:, 0]
        if len(going) == 0:
            break
        rows = (going[:, None] * beam + parents[going]).flatten()
        last = texts.symbols[going, :, -1]
        last = last.masked_fill(last == SILENT, how.start)
        if beam > 1 or len(going) < len(done):
            states = select(states, rows)
        if len(going) < len(done):
            memory, alive = memory.select(going), alive[going]
            texts.keep(going)
    longest = int((symbols != SILENT).sum(1).max()) if examples else 0
    return Said(symbols[:, :longest], found)
