"""Answers to many questions, a batch at a time, and how many of them are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatewise.artifacts.objectives.base import Answer
from gatewise.errors import GatewiseError
from gatewise.serving.questions import Question

if TYPE_CHECKING:
    from gatewise.serving.predictor import Asked, Predictor

BATCH = 256
"""Questions that are read before the model is asked."""


@dataclass(frozen=True)
class Answered:
    """A question and what came of it: an answer, or a reason why there is none."""

    question: Question
    answer: Answer | None
    error: str = ""


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
    asked: dict[int, Asked] = {}
    errors: dict[int, str] = {}
    for place, question in enumerate(batch):
        try:
            asked[place] = predictor.asked(question.read())
        except GatewiseError as error:
            said = str(error)
            named = said if said.startswith(question.name) else f"{question.name}: {said}"
            if not skip:
                raise GatewiseError(f"{named}; give --on-bad skip to answer the others") from None
            errors[place] = said
    found = predictor.answers(list(asked.values())) if asked else []
    known = dict(zip(asked, found, strict=True))
    for place, question in enumerate(batch):
        yield Answered(question, known.get(place), errors.get(place, ""))


@dataclass(frozen=True)
class Tally:
    """Right and wrong answers to questions whose label is known."""

    confusion: Counter[tuple[str, str]]
    """Number of answers by (label, answer); the two are the same where the answer is right."""
    labels: list[str]
    """The model's, then those that it does not know."""
    strangers: list[str]
    """Labels that the model does not know: it cannot be right about them."""

    @classmethod
    def of(cls, answers: Iterable[Answered], labels: Sequence[str]) -> Tally | None:
        """Count; nothing where no label is known."""
        confusion: Counter[tuple[str, str]] = Counter()
        for one in answers:
            truth, answer = one.question.truth, one.answer
            if truth is not None and answer is not None:
                confusion[answer.said if answer.right(truth) else truth, answer.said] += 1
        if not confusion:
            return None
        strangers = sorted({truth for truth, _ in confusion} - set(labels)) if labels else []
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
