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
from gatewise.artifacts.objectives._counted import COUNTS
from gatewise.artifacts.objectives._edits import distance, pairs
from gatewise.artifacts.objectives._prefixes import Text, likeliest
from gatewise.artifacts.objectives._texts import REFERENCE, Symbols, Texts
from gatewise.artifacts.objectives.base import Answered, Columns
from gatewise.config.objectives import TargetKind

if TYPE_CHECKING:
    import numpy.typing as npt
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


class Objective(Texts):
    """Frames in, symbols out; trained by CTC."""

    title: ClassVar[str] = "transcription"
    target: ClassVar[TargetKind] = "symbols"
    features: ClassVar[tuple[str, ...]] = ("log-mel", "mfcc", "frames")
    metrics: ClassVar[tuple[str, ...]] = ("symbol_error_rate", "sequence_accuracy")
    columns: ClassVar[tuple[str, ...]] = (REFERENCE, "decoded", COUNTS)
    said_in: ClassVar[str] = "decoded"
    types: ClassVar[Mapping[str, str]] = MappingProxyType({REFERENCE: "<i4", "decoded": "<i4"})
    per_step: ClassVar[bool] = True
    slices: ClassVar[str] = "symbol_error_rate"
    headings: ClassVar[tuple[str, str, str]] = ("reference", "transcript", "error rate")
    answer: ClassVar[type[base.Answer]] = Transcript
    pictures: ClassVar[tuple[str, ...]] = ("examples", "confusion")
    most_confused: ClassVar[float] = 64

    kind: Literal["transcribe"] = "transcribe"
    beam: Annotated[int, Field(ge=1, le=1024)] = 1
    """Prefixes that decoding follows; 1 takes the likeliest path: quick, and often as good."""

    def outputs(self, names: Sequence[str]) -> int:
        """The blank, then a logit a symbol."""
        return 1 + len(names)

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

    def said(self, parts: Sequence[Answered]) -> list[npt.NDArray[np.int32]]:
        """As they are decoded."""
        return [np.array(text.symbols, np.int32) for part in parts for text in self._decoded(part)]

    def count(self, wanted: Sequence[Sequence[Symbols]], said: Sequence[Symbols]) -> np.ndarray:
        """Edits, symbols, whether all are right, and one."""
        rows = [_counts(text, own) for (text,), own in zip(wanted, said, strict=True)]
        return np.array(rows, np.float64)

    def answers(self, parts: Sequence[Answered], names: Sequence[str]) -> list[base.Answer]:
        """Texts."""
        found: list[base.Answer] = []
        for part in parts:
            for text in self._decoded(part):
                symbols = [names[k] for k in text.symbols]
                found.append(Transcript(self.join(symbols), symbols, text.probability))
        return found

    @classmethod
    def confusion(cls, columns: Columns) -> np.ndarray | None:
        """Symbols that were taken for each other, where edits are fewest; left out if many.

        Symbols that were not said, or that nothing stands for, are in no cell.
        """
        both = list(zip(columns[REFERENCE], columns[cls.said_in], strict=True))
        size = 1 + max((int(row.max(initial=-1)) for pair in both for row in pair), default=-1)
        if size > cls.most_confused:
            return None
        counts = np.zeros((size, size), dtype=np.int64)
        for reference, said in both:
            for i, j in pairs(reference.tolist(), said.tolist()):
                counts[reference[i], said[j]] += 1
        return counts

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


def _counts(reference: Symbols, decoded: Symbols) -> tuple[float, ...]:
    edits = distance(reference, decoded)
    return float(edits), float(len(reference)), float(edits == 0), 1.0
