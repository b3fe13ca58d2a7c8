"""What every synthetic problem of the memory probes is: examples, a loss, a score."""

from __future__ import annotations

from abc import ABC, abstractmethod
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


class Problem(ABC):
    """A family of tasks, one a length; the longer, the more past an answer needs.

    A subclass states the class variables and draws examples. Targets are classes unless it
    replaces `loss` and `score` as well.
    """

    name: ClassVar[str]
    """As in `params.yaml`, before `_lengths`."""
    title: ClassVar[str]
    """As people call it."""
    paper: ClassVar[str]
    """Where it comes from."""
    length_means: ClassVar[str]
    """What a length counts."""
    outputs: ClassVar[int]
    """Classes, or 1 for a number."""
    chance: ClassVar[float]
    """Score of the best answer that ignores the past."""
    learnt_once: ClassVar[bool] = False
    """Whether only the shortest length is learnt, and all others are asked of that model."""

    @abstractmethod
    def features(self, length: int) -> int:
        """Inputs a step."""

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


def one_hot(classes: np.ndarray, count: int) -> np.ndarray:
    """`(...,)` to float32 `(..., count)`; classes below 0 become zeros."""
    encoded: np.ndarray = np.eye(count, dtype=np.float32)[np.maximum(classes, 0)]
    encoded[classes < 0] = 0
    return encoded


def last_step(time: int) -> np.ndarray:
    """`(time,)`, true at the end alone."""
    scored: np.ndarray = np.arange(time) == time - 1
    return scored
