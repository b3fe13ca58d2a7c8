"""What kind of work a task is, so that the textbook's sentences find the tasks that speak to them.

A task may say so itself (`work` in params.yaml), as may its source; else it follows from what is
asked (the objective) of what (the data). Data of one's own count like any other.
"""

from __future__ import annotations

from gatewise.artifacts.prepared import TaskCard
from gatewise.config import TaskConfig
from gatewise.config.tasks import Tokens
from gatewise.config.work import Work

ASKED: dict[tuple[str, str], Work] = {
    ("generate", "text"): "translation",
    ("generate", "image"): "captioning",
    ("generate", "audio"): "speech",
    ("transcribe", "audio"): "speech",
}
"""By objective and what a user hands in."""
VALUES = {"positive", "negative", "neutral", "mixed", "pos", "neg", "neu", "good", "bad"}
FEELINGS = {"happy", "sad", "joy", "sadness", "anger", "fear", "love", "surprise", "disgust"}
"""What labels of texts say where they are judgements or feelings, a word each."""


def of(task: TaskConfig, card: TaskCard | None) -> Work:
    """The kind of work of a task.

    Args:
        task: as declared.
        card: of its prepared data; without it, only what is declared counts.
    """
    declared = task.work or type(task.source).work
    if declared is not None:
        return declared
    if task.objective.kind == "forecast":
        return "series"
    if card is None:
        return "other"
    if _feelings(card):
        return "sentiment"
    if isinstance(task.features, Tokens) and task.features.tokenizer == "character":
        return "other"  # letters to something: spelling or pronouncing, not translating
    return ASKED.get((task.objective.kind, card.modality), "other")


def _feelings(card: TaskCard) -> bool:
    """Whether texts are told apart by feelings alone, whatever a dash or a capital adds."""
    words = {part for label in card.classes for part in label.lower().replace("_", "-").split("-")}
    return card.modality == "text" and bool(words) and words <= {"very", *VALUES, *FEELINGS}
