"""Answers to many questions, a batch at a time, and how many of them are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gatewise.errors import GatewiseError
from gatewise.serving.questions import Question

if TYPE_CHECKING:
    from gatewise.serving.predictor import Predictor

BATCH = 256
"""Questions that are read before the model is asked."""


@dataclass(frozen=True)
class Answered:
    """A question and what came of it: probabilities, or a reason why there are none."""

    question: Question
    probabilities: dict[str, float] | None
    error: str = ""

    @property
    def label(self) -> str:
        """The most probable label; empty where there is none."""
        if self.probabilities is None:
            return ""
        return max(self.probabilities, key=lambda name: (self.probabilities or {})[name])

    @property
    def probability(self) -> float:
        """That of the label."""
        return 0.0 if self.probabilities is None else self.probabilities[self.label]


def ask(predictor: Predictor, questions: Iterable[Question], *, skip: bool) -> Iterator[Answered]:
    """Answer questions in their order.

    Args:
        predictor: the model.
        questions: what to ask it.
        skip: go on where one cannot be answered.

    Raises:
        GatewiseError: one cannot be answered, and `skip` is false; it is named.
    """
    batch: list[Question] = []
    for question in questions:
        batch.append(question)
        if len(batch) == BATCH:
            yield from _batch(predictor, batch, skip=skip)
            batch = []
    if batch:
        yield from _batch(predictor, batch, skip=skip)


def _batch(predictor: Predictor, batch: Sequence[Question], *, skip: bool) -> Iterator[Answered]:
    sequences: dict[int, np.ndarray] = {}
    errors: dict[int, str] = {}
    for place, question in enumerate(batch):
        try:
            sequences[place] = predictor.sequence(question.read())
        except GatewiseError as error:
            said = str(error)
            named = said if said.startswith(question.name) else f"{question.name}: {said}"
            if not skip:
                raise GatewiseError(f"{named}; give --on-bad skip to answer the others") from None
            errors[place] = said
    rows = predictor.probabilities(list(sequences.values())) if sequences else ()
    labels = predictor.card.labels
    known = {
        place: {name: float(p) for name, p in zip(labels, row, strict=True)}
        for place, row in zip(sequences, rows, strict=True)
    }
    for place, question in enumerate(batch):
        yield Answered(question, known.get(place), errors.get(place, ""))


@dataclass(frozen=True)
class Tally:
    """Right and wrong answers to questions whose label is known."""

    confusion: Counter[tuple[str, str]]
    """Number of answers by (label, answer)."""
    labels: list[str]
    """The model's, then those that it does not know."""
    strangers: list[str]
    """Labels that the model does not know: it cannot be right about them."""

    @classmethod
    def of(cls, answers: Iterable[Answered], labels: Sequence[str]) -> Tally | None:
        """Count; nothing where no label is known."""
        confusion = Counter(
            (one.question.truth, one.label)
            for one in answers
            if one.question.truth is not None and one.probabilities is not None
        )
        if not confusion:
            return None
        strangers = sorted({truth for truth, _ in confusion} - set(labels))
        return cls(confusion, [*labels, *strangers], strangers)

    @property
    def examples(self) -> int:
        """Answers that were counted."""
        return sum(self.confusion.values())

    @property
    def right(self) -> int:
        """Those that named the label."""
        return sum(count for (truth, said), count in self.confusion.items() if truth == said)

    @property
    def accuracy(self) -> float:
        """Share of right answers, 0 to 1."""
        return self.right / self.examples
