"""Texts as models read them: one normalisation for training and for questions."""

from __future__ import annotations

from gatewise.artifacts.manifest import LONGEST_DOCUMENT

BYTE_ORDER_MARK = "\ufeff"


def clean(text: str) -> str:
    """The text without byte-order marks, which files bring along, and without space around it.

    A mark is no space to any tokenizer: the word that it sticks to would be an unknown one.
    """
    return text.replace(BYTE_ORDER_MARK, "").strip()


def problem(text: str) -> str | None:
    """Why a text can be neither trained on nor answered; nothing if it can."""
    if not clean(text):
        return "empty text"
    if len(text) > LONGEST_DOCUMENT:
        return f"longer than {LONGEST_DOCUMENT:,} characters; split it into several examples"
    return None
