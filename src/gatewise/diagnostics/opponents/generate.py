"""Generation without recurrence: copies, a memory, tables of words and letters, lone places.

All of them say the usual text of training examples (the first alternative) or are learnt from it.
Which of them there are hangs on what is read: words, letters or frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from gatewise.artifacts.objectives.base import OTHERWISE, SILENT, UNHEARD, Answered
from gatewise.artifacts.objectives.generate import Objective
from gatewise.artifacts.prepared import TOKENIZER, Prepared, Targets
from gatewise.diagnostics.opponents import _letter_table, _nearest, _positions, _word_table, base
from gatewise.diagnostics.opponents._letter_table import Alphabets
from gatewise.diagnostics.opponents.base import Rows

Places = npt.NDArray[np.intp]
Texts = list[npt.NDArray[np.integer]]
"""Symbols that are said, for each example."""
LETTERS_AROUND = 3
RUNS = {"word": 2, "bpe": 2, "character": 3}
"""Tokens of the longest runs that a memory compares by."""


@dataclass(frozen=True)
class Opponent:
    """One of them."""

    title: str
    say: Callable[[Rows], Texts]
    """Texts of the test rows."""


class Opponents(base.Opponents):
    """Whatever makes sense of the input."""

    def __init__(self, prepared: Prepared) -> None:
        super().__init__(prepared)
        objective = prepared.card.asks
        assert isinstance(objective, Objective)  # noqa: S101  # found by its name
        self.objective = objective
        self.names = prepared.card.labels
        self.tokenizer = str(prepared.card.front_end.get("tokenizer", ""))
        self.targets = Targets(prepared)

    @property
    def titles(self) -> dict[str, str]:
        """As tables call them, by name."""
        return {name: one.title for name, one in self._known.items()}

    def score(self, rows: Rows) -> dict[str, float]:
        """Test score of each."""
        return {name: self._score(rows["test"], one.say(rows)) for name, one in self._known.items()}

    @cached_property
    def _known(self) -> dict[str, Opponent]:
        if self.prepared.card.vocabulary is None:
            return {
                "nearest": Opponent("nearest training example", self._nearest_frames),
                "places": Opponent("softmax of each place", self._by_place),
            }
        known = {"memory": Opponent("translation memory (TF-IDF)", self._memory)}
        if (self._copied != _word_table.NONE).any():
            known = {"copy": Opponent("the input, where it can be said", self._copies), **known}
        if self.tokenizer != "character":
            return {**known, "table": Opponent("word for word (IBM model 1)", self._words)}
        if self._alphabets.fit:
            around = f"letters with {LETTERS_AROUND} neighbours either side"
            known["table"] = Opponent("letter for letter", lambda rows: self._letters(rows, [0]))
            reaches = list(range(LETTERS_AROUND + 1))
            known["window"] = Opponent(around, lambda rows: self._letters(rows, reaches))
        return known

    # --- texts ------------------------------------------------------------------------------

    def _copies(self, rows: Rows) -> Texts:
        said = [self._copied[tokens] for tokens in self._inputs(rows["test"])]
        return [own[own != _word_table.NONE] for own in said]

    def _memory(self, rows: Rows) -> Texts:
        train, asked = self._inputs(rows["train"]), self._inputs(rows["test"])
        places = _nearest.texts(train, asked, RUNS[self.tokenizer])
        return self._texts(rows["train"][places])

    def _words(self, rows: Rows) -> Texts:
        vocabulary = self.prepared.card.vocabulary or 0
        train = rows["train"]
        table = _word_table.learn(self._inputs(train), self._texts(train), vocabulary)
        return [table.say(tokens) for tokens in self._inputs(rows["test"])]

    def _letters(self, rows: Rows, reaches: Sequence[int]) -> Texts:
        train = rows["train"]
        tables = _letter_table.learn(
            self._inputs(train), self._texts(train), self._alphabets, reaches
        )
        return [tables[-1].say(letters) for letters in self._inputs(rows["test"])]

    @cached_property
    def _copied(self) -> npt.NDArray[np.integer]:
        """Symbol of the same name for each token id; `NONE` where there is none."""
        found = np.full(self.prepared.card.vocabulary or 0, _word_table.NONE)
        if self.tokenizer != self.objective.unit or self.prepared.folder is None:
            return found
        from tokenizers import Tokenizer

        tokens = Tokenizer.from_file(str(self.prepared.folder / TOKENIZER)).get_vocab()
        number = {name: place for place, name in enumerate(self.names)}
        for name in tokens.keys() & number.keys():
            found[tokens[name]] = number[name]
        return found

    @property
    def _alphabets(self) -> Alphabets:
        return Alphabets(self.prepared.card.vocabulary or 0, len(self.names))

    # --- frames -----------------------------------------------------------------------------

    def _nearest_frames(self, rows: Rows) -> Texts:
        train, asked = (self._pooled(rows, split) for split in ("train", "test"))
        return self._texts(rows["train"][_nearest.frames(train, asked)])

    def _by_place(self, rows: Rows) -> Texts:
        train, held_out, asked = (
            self._pooled(rows, split) for split in ("train", "validation", "test")
        )
        model = _positions.Positions(train, self._texts(rows["train"]), len(self.names))
        best, said = -np.inf, model.say(asked)
        for _ in range(_positions.EPOCHS):
            model.learn()
            gain = self.metric.gain(self._score(rows["validation"], model.say(held_out)))
            if gain > best:
                best, said = gain, model.say(asked)
        return said

    def _pooled(self, rows: Rows, split: str) -> npt.NDArray[np.float64]:
        """Parts of each example, standardised by what training holds."""
        train = self._parts[rows["train"]]
        scaled: npt.NDArray[np.float64] = self._parts[rows[split]] - train.mean(axis=0)
        scaled /= train.std(axis=0) + 1e-6
        return scaled

    @cached_property
    def _parts(self) -> npt.NDArray[np.float64]:
        """Means over parts of every example of the index."""
        return _nearest.pooled(self._inputs(np.arange(len(self.prepared.index))))

    # --- both -------------------------------------------------------------------------------

    def _inputs(self, rows: Places) -> list[npt.NDArray[Any]]:
        index = self.prepared.index
        starts, lengths = (index[c].to_numpy(np.int64)[rows] for c in ("start", "length"))
        spans = zip(starts.tolist(), lengths.tolist(), strict=True)
        sequences = self.prepared.sequences
        return [np.asarray(sequences[start : start + length]) for start, length in spans]

    def _texts(self, rows: Places) -> Texts:
        """The usual text of each, without what nobody can say."""
        values, lengths = self.targets.of(rows)
        assert lengths is not None  # noqa: S101  # texts have lengths
        texts = []
        for row, length in zip(values, lengths.tolist(), strict=True):
            apart = np.flatnonzero(row[:length] == OTHERWISE)
            first = row[: apart[0] if len(apart) else length]
            texts.append(first[first != UNHEARD])
        return texts

    def _score(self, rows: Places, said: Texts) -> float:
        import torch

        targets, lengths = (torch.from_numpy(part) for part in self.targets.of(rows))
        longest = max(1, *map(len, said))
        padded = np.full((len(said), longest), SILENT, dtype=np.int64)
        for row, text in zip(padded, said, strict=True):
            row[: len(text)] = text
        answered = Answered(torch.zeros(1), lengths, targets, lengths, torch.from_numpy(padded))
        counts = self.objective.counts(self.objective.predictions([answered]))[0]
        return float(np.float32(self.metric.from_counts(counts)))
