"""Transcription: frames in, the symbols that they say out, without knowing where each one lies.

Connectionist temporal classification (Graves et al. 2006): every step gives probabilities of the
symbols and of a blank; a text is likely as far as the paths are that read it once repeats are
merged and blanks dropped. The loss is torch's; decoding takes the likeliest path (`beam: 1`) or
looks for the likeliest text by a beam over prefixes (Hannun 2017, algorithm 1, without a language
model).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from gatewise.artifacts.objectives import base
from gatewise.artifacts.objectives._counted import COUNTS, Counted
from gatewise.artifacts.objectives._edits import distance
from gatewise.artifacts.objectives._prefixes import Text, likeliest
from gatewise.artifacts.objectives.base import Answered, Columns, Shown
from gatewise.config.metrics import EDITS
from gatewise.config.objectives import TargetKind

if TYPE_CHECKING:
    from torch import Tensor

    from gatewise.config import TrainConfig

BLANK = 0
"""Its output; symbol `k` is output `k + 1`."""


@dataclass(frozen=True)
class Transcript(base.Answer):
    """What was said."""

    headings: ClassVar[tuple[str, ...]] = ("text", "probability")

    text: str
    symbols: list[str]
    probability: float
    """Of the path or of the prefix that it was read from."""

    @property
    def said(self) -> str:
        """The text."""
        return self.text

    def cells(self) -> tuple[str, ...]:
        """The text and its probability."""
        return self.text, f"{100 * self.probability:.1f} %"

    def row(self) -> dict[str, str]:
        """The same."""
        return {"text": self.text, "probability": f"{self.probability:.6g}"}


class Objective(Counted):
    """Frames in, symbols out; trained by CTC."""

    title: ClassVar[str] = "transcription"
    target: ClassVar[TargetKind] = "symbols"
    features: ClassVar[tuple[str, ...]] = ("log-mel", "mfcc", "frames")
    metrics: ClassVar[tuple[str, ...]] = ("symbol_error_rate", "sequence_accuracy")
    columns: ClassVar[tuple[str, ...]] = ("reference", "decoded", COUNTS)
    types: ClassVar[Mapping[str, str]] = MappingProxyType({"reference": "<i4", "decoded": "<i4"})
    per_step: ClassVar[bool] = True
    cut: ClassVar[bool] = False
    slices: ClassVar[str] = "symbol_error_rate"
    headings: ClassVar[tuple[str, str, str]] = ("reference", "transcript", "error rate")
    answer: ClassVar[type[base.Answer]] = Transcript
    pictures: ClassVar[tuple[str, ...]] = ("examples",)

    kind: Literal["transcribe"] = "transcribe"
    unit: Literal["word", "character"] = "word"
    """What a symbol of a text is."""
    beam: Annotated[int, Field(ge=1, le=1024)] = 1
    """Prefixes that decoding follows; 1 takes the likeliest path: quick, and often as good."""

    def split(self, text: str) -> list[str]:
        """The symbols of a text."""
        return text.split() if self.unit == "word" else list(" ".join(text.split()))

    def join(self, symbols: Sequence[str]) -> str:
        """The text of symbols."""
        return (" " if self.unit == "word" else "").join(symbols)

    def outputs(self, names: Sequence[str]) -> int:
        """The blank, then a logit a symbol."""
        return 1 + len(names)

    def guessing(self, names: Sequence[str]) -> float | None:
        """What guessing costs hangs on the lengths."""
        del names
        return None

    def loss(self, answered: Answered, train: TrainConfig | None = None) -> Tensor:
        """Negative log-likelihood of the symbols, in nats: the mean over examples."""
        from torch.nn import functional

        del train
        each = functional.ctc_loss(
            answered.outputs.float().log_softmax(-1).transpose(0, 1),
            answered.targets + 1,
            answered.lengths,
            _lengths(answered),
            blank=BLANK,
            reduction="none",
            zero_infinity=True,
        )
        return each.mean()

    def predictions(self, parts: Sequence[Answered]) -> Columns:
        """Symbols by number, as they are and as they were decoded, and counts."""
        reference = [row for part in parts for row in _rows(part)]
        decoded = [
            np.array(text.symbols, np.int32) for part in parts for text in self._decoded(part)
        ]
        counts = [_counts(*both) for both in zip(reference, decoded, strict=True)]
        return {"reference": reference, "decoded": decoded, COUNTS: np.array(counts, np.float64)}

    def answers(self, parts: Sequence[Answered], names: Sequence[str]) -> list[base.Answer]:
        """Texts."""
        found: list[base.Answer] = []
        for part in parts:
            for text in self._decoded(part):
                symbols = [names[k] for k in text.symbols]
                found.append(Transcript(self.join(symbols), symbols, text.probability))
        return found

    @classmethod
    def truth(cls, columns: Columns) -> list[str]:
        """Numbers of the symbols."""
        return [" ".join(map(str, np.asarray(row).tolist())) for row in columns["reference"]]

    @classmethod
    def same(cls, columns: Columns, others: Columns) -> np.ndarray:
        """Whether the same symbols were decoded."""
        pairs = zip(columns["decoded"], others["decoded"], strict=True)
        return np.array([np.array_equal(one, other) for one, other in pairs], dtype=bool)

    @classmethod
    def shown(cls, columns: Columns, names: Sequence[str]) -> Shown:
        """Symbols by name, and the errors for each symbol of the reference."""

        def text(row: np.ndarray) -> str:
            called = (names[k] if k < len(names) else str(k) for k in np.asarray(row).tolist())
            return " ".join(called)

        edits = np.asarray(columns[COUNTS])[:, EDITS]
        lengths = np.array([max(1, len(row)) for row in columns["reference"]])
        return Shown(
            truth=[text(row) for row in columns["reference"]],
            answer=[text(row) for row in columns["decoded"]],
            wrong=edits > 0,
            measure=edits / lengths,
        )

    def _decoded(self, part: Answered) -> list[Text]:
        """The text that each example's outputs say."""
        logs = part.outputs.detach().float().log_softmax(-1).cpu().numpy()
        steps = part.lengths.cpu().tolist()
        return [
            likeliest(row[:length], self.beam, BLANK)
            for row, length in zip(logs, steps, strict=True)
        ]


def fewest_steps(symbols: Sequence[object]) -> int:
    """Steps that symbols need at least: one each, and a blank between equal neighbours."""
    repeats = sum(a == b for a, b in itertools.pairwise(symbols))
    return len(symbols) + repeats


def _lengths(answered: Answered) -> Tensor:
    assert answered.target_lengths is not None  # noqa: S101  # symbols have lengths
    return answered.target_lengths


def _rows(part: Answered) -> list[np.ndarray]:
    """References without their padding."""
    targets = part.targets.cpu().numpy().astype(np.int32)
    lengths = _lengths(part).cpu().tolist()
    return [row[:length] for row, length in zip(targets, lengths, strict=True)]


def _counts(reference: np.ndarray, decoded: np.ndarray) -> tuple[float, ...]:
    """Rows of `gatewise.config.metrics`: edits, symbols, whether all are right, and one."""
    edits = distance(reference.tolist(), decoded.tolist())
    return float(edits), float(len(reference)), float(edits == 0), 1.0
