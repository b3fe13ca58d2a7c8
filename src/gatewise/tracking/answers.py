"""A task's answer as MLflow shows it: from the comparison's answer, or from its verdicts."""

from __future__ import annotations

from gatewise.artifacts.comparison import TaskComparison
from gatewise.report import words


def sentence(task: TaskComparison) -> str:
    """What to take, in one sentence; without an answer, how the primary pairs stand."""
    answer = task.answer
    if answer is not None:
        return answer.sentence
    verdicts = [f"{pair.a} against {pair.b}: {words.verdict(pair)}" for pair in task.primary]
    return "; ".join(verdicts) + "." if verdicts else "No primary pair was declared."


def choice(task: TaskComparison) -> str | None:
    """The variant to take."""
    answer = task.answer
    return None if answer is None else answer.choice


def shortfall(task: TaskComparison, variant: str) -> float | None:
    """How far a variant may lie below the best at worst, in the metric's own value."""
    answer = task.answer
    known = answer.by_variant.get(variant) if answer is not None else None
    return None if known is None else known.shortfall
