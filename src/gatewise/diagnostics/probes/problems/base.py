"""What every synthetic problem of the memory probes is: examples, a loss, a score."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Examples:
    """A batch of a problem, time first."""

    inputs: Tensor
    """float32 `(time, batch, features)`."""
    targets: Tensor
    """int64 `(time, batch)`, the class at each step; or float32 `(batch,)` numbers."""
    scored: Tensor
    """bool `(time, batch)`, true where the answer counts."""

    @classmethod
    def of(cls, inputs: np.ndarray, targets: np.ndarray, scored: np.ndarray) -> Examples:
        """From arrays of NumPy; `scored` may be `(time,)`, the same for the whole batch."""
        batch = inputs.shape[1]
        if scored.ndim == 1:
            scored = np.repeat(scored[:, None], batch, axis=1)
        parts = (inputs.astype(np.float32), targets, scored)
        return cls(*(torch.from_numpy(np.ascontiguousarray(part)) for part in parts))

    @classmethod
    def answered_at_end(cls, inputs: np.ndarray, answers: np.ndarray) -> Examples:
        """Only the last step counts; answers are `(batch,)`, classes or float32 numbers."""
        time, batch = inputs.shape[:2]
        targets = answers
        if answers.dtype != np.float32:
            targets = np.zeros((time, batch), dtype=np.int64)
            targets[-1] = answers
        return cls.of(inputs, targets, np.arange(time) == time - 1)

    def split(self, size: int) -> Iterator[Examples]:
        """Batches of so many examples."""
        along = 0 if self.targets.ndim == 1 else 1
        parts = zip(
            torch.split(self.inputs, size, 1),
            torch.split(self.targets, size, along),
            torch.split(self.scored, size, 1),
            strict=True,
        )
        return (Examples(*batch) for batch in parts)


class Problem(ABC):
    """A family of tasks, one a length; the longer, the more past an answer needs.

    A subclass states the class variables and draws examples; `Endless` is the base of those that
    never run out of fresh ones. Targets are classes unless it replaces `loss` and `score` as well.
    """

    name: ClassVar[str]
    """As in `params.yaml`, before `_lengths`."""
    title: ClassVar[str]
    """As people call it."""
    paper: ClassVar[str]
    """Where it comes from."""
    length_means: ClassVar[str]
    """What a length counts."""
    inputs: ClassVar[int]
    """Inputs a step, unless they hang on the length: then `features` is replaced."""
    outputs: ClassVar[int]
    """Classes, or 1 for a number."""
    chance: ClassVar[float]
    """Score of the best answer that ignores the past."""
    learnt_once: ClassVar[bool] = False
    """Whether only the shortest length is learnt, and all others are asked of that model."""

    def features(self, length: int) -> int:  # noqa: ARG002  (for those that replace it)
        """Inputs a step at this length."""
        return self.inputs

    @abstractmethod
    def draw(
        self, length: int, batch: int, rng: np.random.Generator, *, held_out: bool = False
    ) -> Examples:
        """Fresh examples; `held_out` ones are never trained on (it matters for finite data)."""

    def steps(self, length: int) -> int:
        """The farthest that an answer may lie from what it needs, in steps."""
        return length

    def loss(self, answers: Tensor, examples: Examples) -> Tensor:
        """What training lowers; answers are `(time, batch, outputs)`."""
        scored = examples.scored
        return functional.cross_entropy(answers[scored], examples.targets[scored])

    def score(self, answers: Tensor, examples: Examples) -> float:
        """Between 0 and 1: the share of right answers among those that count."""
        right = answers.argmax(-1) == examples.targets
        return float(right[examples.scored].float().mean())

    def skill(self, score: float) -> float:
        """How far a score lies above chance: 0 is chance, 1 is perfect."""
        return max(0.0, (score - self.chance) / (1 - self.chance))


class Endless(Problem):
    """A problem whose examples never come twice: those held out are fresh ones like any other."""

    @abstractmethod
    def fresh(self, length: int, batch: int, rng: np.random.Generator) -> Examples:
        """Draw examples."""

    def draw(
        self,
        length: int,
        batch: int,
        rng: np.random.Generator,
        *,
        held_out: bool = False,  # noqa: ARG002
    ) -> Examples:
        """Fresh examples, whatever they are for."""
        return self.fresh(length, batch, rng)


def one_hot(classes: np.ndarray, count: int) -> np.ndarray:
    """`(...,)` to float32 `(..., count)`; classes below 0 become zeros."""
    encoded: np.ndarray = np.eye(count, dtype=np.float32)[np.maximum(classes, 0)]
    encoded[classes < 0] = 0
    return encoded
