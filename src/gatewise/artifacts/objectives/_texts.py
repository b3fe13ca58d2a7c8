"""What objectives share whose answers are texts, sequences of named symbols."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from gatewise.artifacts.objectives._counted import COUNTS, Counted
from gatewise.artifacts.objectives.base import OTHERWISE, UNHEARD, UNKNOWN, Answered, Columns, Shown
from gatewise.config.metrics import EDITS, SYMBOLS

if TYPE_CHECKING:
    import numpy.typing as npt

REFERENCE = "reference"
"""The column with what should be said: numbers of symbols, as a prepared task has them."""
BETWEEN, APART = "\t", "\n"
"""Between symbols and between alternatives of a truth that is written down; in no symbol."""

Symbols = list[str]
"""Names of a text's symbols."""


class Texts(Counted):
    """An objective with the columns `reference` and, under a name of its own, what was said."""

    said_in: ClassVar[str]
    """The column with what was said."""
    cut: ClassVar[bool] = False
    types: ClassVar[Mapping[str, str]] = MappingProxyType({REFERENCE: "<i4"})

    unit: Literal["word", "character"] = "word"
    """What a symbol of a text is."""

    @abstractmethod
    def said(self, parts: Sequence[Answered]) -> list[npt.NDArray[np.int32]]:
        """Numbers of the symbols that each example's outputs say."""

    @abstractmethod
    def count(self, wanted: Sequence[Sequence[Symbols]], said: Sequence[Symbols]) -> np.ndarray:
        """Rows of `gatewise.config.metrics`, float64 `(examples, rows)`.

        Args:
            wanted: for each example the texts that are right.
            said: for each example the text that was said.
        """

    def split(self, text: str) -> Symbols:
        """The symbols of a text."""
        return text.split() if self.unit == "word" else list(" ".join(text.split()))

    def join(self, symbols: Sequence[str]) -> str:
        """The text of symbols."""
        return (" " if self.unit == "word" else "").join(symbols)

    def predictions(self, parts: Sequence[Answered]) -> Columns:
        """Symbols by number, as they are and as they were said, and counts."""
        reference = [row for part in parts for row in stored(part)]
        said = self.said(parts)
        counts = self.count(
            [alternatives(row, self._names) for row in reference],
            [named(row, self._names) for row in said],
        )
        return {REFERENCE: reference, self.said_in: said, COUNTS: counts}

    def judge(
        self, parts: Sequence[Answered], truths: Sequence[str], names: Sequence[str]
    ) -> dict[str, Any]:
        """By the names of symbols: their numbers may differ from task to task."""
        wanted = [[text.split(BETWEEN) for text in truth.split(APART)] for truth in truths]
        counts = self.count(wanted, [named(row, names) for row in self.said(parts)])
        return {"truth": np.array(truths, dtype=object), COUNTS: list(counts)}

    @classmethod
    def truth(cls, columns: Columns) -> list[str]:
        """Numbers of the symbols."""
        return [" ".join(map(str, np.asarray(row).tolist())) for row in columns[REFERENCE]]

    @classmethod
    def judgeable(cls, columns: Columns, names: Sequence[str]) -> dict[str, Any]:
        """Names of the symbols that should have been said, and the counts."""
        truths = [
            APART.join(BETWEEN.join(text) for text in alternatives(row, names))
            for row in columns[REFERENCE]
        ]
        return {"truth": np.array(truths, dtype=object), COUNTS: list(columns[COUNTS])}

    @classmethod
    def same(cls, columns: Columns, others: Columns) -> np.ndarray:
        """Whether the same symbols were said."""
        pairs = zip(columns[cls.said_in], others[cls.said_in], strict=True)
        return np.array([np.array_equal(one, other) for one, other in pairs], dtype=bool)

    @classmethod
    def shown(cls, columns: Columns, names: Sequence[str]) -> Shown:
        """Symbols by name, and the errors for each symbol of the reference."""
        counts = np.asarray(columns[COUNTS])
        wanted = (alternatives(row, names) for row in columns[REFERENCE])
        return Shown(
            truth=[" | ".join(" ".join(text) for text in texts) for texts in wanted],
            answer=[" ".join(named(row, names)) for row in columns[cls.said_in]],
            wrong=counts[:, EDITS] > 0,
            measure=counts[:, EDITS] / np.maximum(1, counts[:, SYMBOLS]),
        )


def stored(part: Answered) -> list[npt.NDArray[np.int32]]:
    """References without their padding."""
    assert part.target_lengths is not None  # noqa: S101  # symbols have lengths
    targets = part.targets.cpu().numpy().astype(np.int32)
    lengths = part.target_lengths.cpu().tolist()
    return [row[:length] for row, length in zip(targets, lengths, strict=True)]


def alternatives(row: np.ndarray, names: Sequence[str]) -> list[Symbols]:
    """The texts of a reference by the names of their symbols."""
    row = np.asarray(row)
    apart = np.flatnonzero(row == OTHERWISE)
    return [named(text[text != OTHERWISE], names) for text in np.split(row, apart)]


def named(row: np.ndarray, names: Sequence[str]) -> Symbols:
    """Names of symbols; numbers stand in for missing ones."""

    def name(number: int) -> str:
        if number == UNHEARD:
            return UNKNOWN
        return names[number] if number < len(names) else str(number)

    return [name(number) for number in np.asarray(row).tolist()]
