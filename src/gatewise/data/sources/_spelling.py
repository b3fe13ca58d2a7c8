"""How texts that a model is to say are written, so that equal words are equal symbols."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Punctuation = Literal["apart", "kept", "dropped"]

_SIGNS = re.compile(r"(?P<inner>(?<=\w)['\u2019-](?=\w)|(?<=\d)[.,:](?=\d))|[^\w\s]")
"""A sign; within a word or a number it belongs to that."""


def spelt(text: str, *, lowercase: bool, punctuation: Punctuation) -> str:
    """A text of one line, with single spaces between its words.

    Args:
        text: as it was written.
        lowercase: whether case is folded.
        punctuation: signs as words of their own, as they were written, or none.
    """
    plain = unicodedata.normalize("NFC", text)
    plain = plain.lower() if lowercase else plain
    if punctuation != "kept":
        by = r" {} " if punctuation == "apart" else " "
        plain = _SIGNS.sub(lambda found: _sign(found, by), plain)
    return " ".join(plain.split())


def _sign(found: re.Match[str], by: str) -> str:
    # Vowels of Devanagari and the like are no letters to `re`, and no signs either.
    if found["inner"] or unicodedata.category(found[0])[0] not in "PS":
        return found[0]
    return by.format(found[0])
