"""Transcription without recurrence: the commonest text, and a network that sees single frames.

The framewise network sees each frame with few neighbours on both sides and is otherwise trained as
the networks are, by CTC on the same examples; its best epoch is chosen on the validation split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gatewise.artifacts.objectives.base import Answered
from gatewise.artifacts.objectives.transcribe import BLANK, Objective
from gatewise.artifacts.prepared import Prepared, Targets, pad
from gatewise.diagnostics.opponents import base
from gatewise.diagnostics.opponents.base import Rows

if TYPE_CHECKING:
    from torch import Tensor, nn

    Floats = npt.NDArray[np.floating]

NEIGHBOURS = 2
"""Frames on either side."""
UNITS, EPOCHS, BATCH, RATE = 128, 12, 64, 3e-3
CERTAIN = 30.0
"""Logit of what is said for certain."""


class Opponents(base.Opponents):
    """The commonest text, and one hidden layer over single frames."""

    def __init__(self, prepared: Prepared) -> None:
        super().__init__(prepared)
        objective = prepared.card.asks
        assert isinstance(objective, Objective)  # noqa: S101  # found by its name
        self.objective = objective
        self.targets = Targets(prepared)
        self.outputs = objective.outputs(prepared.card.labels)

    @property
    def titles(self) -> dict[str, str]:
        """Both, by name."""
        return {"commonest": "commonest text", "framewise": "framewise network + CTC"}

    def score(self, rows: Rows) -> dict[str, float]:
        """Test scores of both."""
        return {"commonest": self._commonest(rows), "framewise": self._framewise(rows)}

    def _commonest(self, rows: Rows) -> float:
        import torch

        padded, lengths = self.targets.of(rows["train"])
        assert lengths is not None  # noqa: S101  # symbols have lengths
        texts = Counter(
            tuple(row[:length]) for row, length in zip(padded.tolist(), lengths, strict=True)
        )
        (text, _), *_ = texts.most_common(1)
        path = [output for symbol in text for output in (symbol + 1, BLANK)]
        logits = torch.full((1, len(path), self.outputs), -CERTAIN)
        logits[0, torch.arange(len(path)), torch.tensor(path)] = CERTAIN
        targets, asked = (torch.from_numpy(part) for part in self._asked(rows["test"]))
        steps = torch.full((len(targets),), len(path))
        given = logits.expand(len(targets), -1, -1)
        return self._scored([Answered(given, steps, targets, asked)])

    def _framewise(self, rows: Rows) -> float:
        import torch
        from torch import nn

        state = torch.get_rng_state()
        torch.manual_seed(0)
        try:
            model = nn.Sequential(
                nn.Linear((2 * NEIGHBOURS + 1) * self._width, UNITS),
                nn.ReLU(),
                nn.Linear(UNITS, self.outputs),
            )
        finally:
            torch.set_rng_state(state)
        frames = self._statistics(rows["train"])
        optimiser = torch.optim.AdamW(model.parameters(), lr=RATE)
        draws, best, score = np.random.default_rng(0), -np.inf, np.nan
        for _ in range(EPOCHS):
            for part in self._answered(model, draws.permutation(rows["train"]), frames):
                optimiser.zero_grad()
                self.objective.loss(part).backward()  # type: ignore[no-untyped-call]
                optimiser.step()
            with torch.no_grad():
                held_out = self._scored(list(self._answered(model, rows["validation"], frames)))
                if self.metric.gain(held_out) > best:
                    best = self.metric.gain(held_out)
                    score = self._scored(list(self._answered(model, rows["test"], frames)))
        return score

    def _scored(self, parts: list[Answered]) -> float:
        return self.objective.scores(parts)[self.metric.name]

    @property
    def _width(self) -> int:
        return int(self.prepared.sequences.shape[1])

    def _asked(self, rows: npt.NDArray[np.intp]) -> tuple[np.ndarray, np.ndarray]:
        targets, lengths = self.targets.of(rows)
        assert lengths is not None  # noqa: S101  # symbols have lengths
        return targets, lengths

    def _statistics(self, rows: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Mean and deviation of each feature over training frames."""
        index, sequences = self.prepared.index, self.prepared.sequences
        spans = zip(index["start"].iloc[rows], index["length"].iloc[rows], strict=True)
        frames = np.concatenate([sequences[start : start + length] for start, length in spans])
        return frames.mean(axis=0), frames.std(axis=0) + 1e-6

    def _answered(
        self, model: nn.Module, rows: npt.NDArray[np.intp], frames: tuple[Floats, Floats]
    ) -> Iterator[Answered]:
        """What the model gives for batches of rows."""
        import torch

        index = self.prepared.index
        for first in range(0, len(rows), BATCH):
            chosen = rows[first : first + BATCH]
            starts, lengths = (index[c].to_numpy(np.int64)[chosen] for c in ("start", "length"))
            inputs = pad(self.prepared.sequences, starts, lengths)
            seen = _with_neighbours(torch.from_numpy((inputs - frames[0]) / frames[1]).float())
            targets, asked = (torch.from_numpy(part) for part in self._asked(chosen))
            yield Answered(model(seen), torch.from_numpy(lengths), targets, asked)


def _with_neighbours(frames: Tensor) -> Tensor:
    """Each frame beside those around it, `(batch, time, (2 * NEIGHBOURS + 1) * features)`."""
    from torch.nn import functional

    padded = functional.pad(frames, (0, 0, NEIGHBOURS, NEIGHBOURS))
    return padded.unfold(1, 2 * NEIGHBOURS + 1, 1).flatten(2)
