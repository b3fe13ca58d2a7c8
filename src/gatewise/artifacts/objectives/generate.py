"""Generation: a sequence in, a text out, symbol after symbol until the end is said.

An encoder reads the input, a decoder says the text (Sutskever et al. 2014). In training it is told
the symbols before each one (teacher forcing) and gives logits of the next; otherwise it goes on
from what it said itself. There may be several texts that are right: each example is trained on one
of them an epoch, and scored against all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from gatewise.artifacts.objectives import _text_counts, base
from gatewise.artifacts.objectives._counted import COUNTS
from gatewise.artifacts.objectives._text_counts import Tokenizer
from gatewise.artifacts.objectives._texts import REFERENCE, Symbols, Texts
from gatewise.artifacts.objectives.base import OTHERWISE, SILENT, UNHEARD, UNKNOWN, Answered, Saying
from gatewise.config.objectives import TargetKind
from gatewise.config.strict import Count

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch import Tensor

    from gatewise.config import TrainConfig

IGNORED = -100
"""What torch's cross entropy leaves out."""


@dataclass(frozen=True)
class Generated(base.Answer):
    """What was said."""

    headings: ClassVar[tuple[str, ...]] = ("text", "probability")
    several: ClassVar[bool] = True

    text: str
    symbols: list[str]
    probability: float
    """Of this text, its end included."""

    @property
    def said(self) -> str:
        """The text."""
        return self.text

    def right(self, truth: str) -> bool:
        """Whether it is one of the lines, whatever the spaces between words."""
        return self.text.split() in [line.split() for line in truth.split("\n")]

    def cells(self) -> tuple[str, ...]:
        """The text and its probability."""
        return self.text, f"{100 * self.probability:.1f} %"

    def row(self) -> dict[str, str]:
        """The same."""
        return {"text": self.text, "probability": f"{self.probability:.6g}"}


class Objective(Texts):
    """A sequence in, a text out; trained by cross entropy of each next symbol."""

    title: ClassVar[str] = "generation"
    target: ClassVar[TargetKind] = "tokens"
    features: ClassVar[tuple[str, ...]] = ("tokens", "frames", "log-mel", "mfcc", "image")
    metrics: ClassVar[tuple[str, ...]] = ("bleu", "chrf", "token_error_rate", "exact_match")
    columns: ClassVar[tuple[str, ...]] = (REFERENCE, "said", COUNTS)
    said_in: ClassVar[str] = "said"
    types: ClassVar[Mapping[str, str]] = MappingProxyType({REFERENCE: "<i4", "said": "<i4"})
    smoothed: ClassVar[bool] = True
    slices: ClassVar[str] = "token_error_rate"
    headings: ClassVar[tuple[str, str, str]] = ("reference", "said", "error rate")
    answer: ClassVar[type[base.Answer]] = Generated
    pictures: ClassVar[tuple[str, ...]] = ("examples", "attention")

    kind: Literal["generate"] = "generate"
    attention: Literal["none", "dot", "additive"] = "dot"
    """What the decoder looks up in the input at every step: nothing beyond the encoder's last
    state, or steps weighed by dot products (Luong et al. 2015) or by a small network (Bahdanau et
    al. 2015)."""
    beam: Annotated[int, Field(ge=1, le=64)] = 1
    """Texts that are followed side by side; 1 says the likeliest symbol at every step."""
    longest: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """Most symbols that are said; left out: as many as the longest text of training has."""
    vocabulary: Annotated[int, Field(ge=1, le=100_000)] = 8_000
    """Most symbols that can be said: the commonest of training. All others count as errors."""
    min_frequency: Count = 1
    """Symbols that training has less often cannot be said."""
    tokenize: Tokenizer = "13a"
    """How BLEU cuts a text into words, by sacrebleu's name: `13a` is its usual one, `char` suits
    scripts without spaces, `none` takes texts that are cut already."""

    def outputs(self, names: Sequence[str]) -> int:
        """A logit a symbol, and one for the end, the last."""
        return len(names) + 1

    def saying(self, names: Sequence[str]) -> Saying:
        """As the options have it."""
        return Saying(len(names), self.attention, self.beam, self.longest)

    def guessing(self, names: Sequence[str]) -> float | None:
        """Of one to whom all symbols and the end are alike."""
        return math.log(self.outputs(names))

    def loss(self, answered: Answered, train: TrainConfig | None = None) -> Tensor:
        """Negative log-likelihood of a symbol in nats, the end being one: the mean over examples.

        Symbols that no model can say are left out. `answered.outputs` are logits `(batch, steps,
        symbols and end)` under teacher forcing, or log-probabilities `(batch, steps)` of the first
        alternative, zero beyond its end.
        """
        if answered.outputs.ndim == 2:
            return self._likelihood(answered)
        return self._cross_entropy(answered, 0.0 if train is None else train.label_smoothing)

    def said(self, parts: Sequence[Answered]) -> list[npt.NDArray[np.int32]]:
        """As the model went on from what it said."""
        found = []
        for part in parts:
            assert part.said is not None  # noqa: S101  # whoever evaluates lets the model speak
            for row in part.said.cpu().numpy().astype(np.int32):
                found.append(row[row != SILENT])
        return found

    def count(self, wanted: Sequence[Sequence[Symbols]], said: Sequence[Symbols]) -> np.ndarray:
        """Edits, matches and lengths; an unknown symbol is as long as symbols are on average."""
        assert self._names  # noqa: S101  # without names there is no text
        stand_in = UNKNOWN * max(1, round(float(np.mean([len(name) for name in self._names]))))

        def text(symbols: Symbols) -> str:
            return self.join([stand_in if name == UNKNOWN else name for name in symbols])

        texts = [[text(right) for right in each] for each in wanted], [text(own) for own in said]
        return _text_counts.rows(wanted, said, texts, self.tokenize)

    def answers(self, parts: Sequence[Answered], names: Sequence[str]) -> list[base.Answer]:
        """Texts; `parts` hold no truth, and so outputs are log-probabilities of what was said."""
        logs = [log for part in parts for log in part.outputs[:, 0].cpu().tolist()]
        found: list[base.Answer] = []
        for row, log in zip(self.said(parts), logs, strict=True):
            symbols = [names[k] for k in row.tolist()]
            found.append(Generated(self.join(symbols), symbols, math.exp(log)))
        return found

    def _cross_entropy(self, answered: Answered, smoothing: float) -> Tensor:
        import torch
        from torch.nn import functional

        assert answered.target_lengths is not None  # noqa: S101  # texts have lengths
        logits, lengths = answered.outputs.float(), answered.target_lengths
        steps = torch.arange(logits.shape[1], device=logits.device)
        missing = logits.shape[1] - answered.targets.shape[1]
        wanted = functional.pad(answered.targets, (0, missing))
        wanted = torch.where(steps == lengths[:, None], logits.shape[2] - 1, wanted)
        left_out = (steps > lengths[:, None]) | (wanted == UNHEARD)
        wanted = wanted.masked_fill(left_out, IGNORED)
        # Outputs side by side in memory: torch takes five times as long where they lie apart.
        each = functional.cross_entropy(
            logits.flatten(0, 1),
            wanted.flatten(),
            ignore_index=IGNORED,
            label_smoothing=smoothing,
            reduction="none",
        ).view_as(wanted)
        return (each.sum(1) / (~left_out).sum(1)).mean()

    def _likelihood(self, answered: Answered) -> Tensor:
        import torch
        from torch.nn import functional

        assert answered.target_lengths is not None  # noqa: S101  # texts have lengths
        logs = answered.outputs.float()
        steps = torch.arange(logs.shape[1], device=logs.device)
        targets, lengths = answered.targets, answered.target_lengths
        width = max(logs.shape[1], targets.shape[1])
        padded = functional.pad(targets, (0, width - targets.shape[1]))
        apart = (padded == OTHERWISE).long()
        first = torch.where(apart.any(1), apart.argmax(1), lengths)  # of the first alternative
        counted = (steps <= first[:, None]) & (padded[:, : logs.shape[1]] != UNHEARD)
        return -(logs.masked_fill(~counted, 0.0).sum(1) / counted.sum(1)).mean()
