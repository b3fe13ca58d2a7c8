"""Whether a text has spaces between its words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0002fa1f]"
)
"""Thai, Lao, Tibetan, Burmese, Khmer, kana, Chinese: written without spaces between words."""
LONGEST_WORD = 25
"""Characters that a token has on average, beyond which texts are strings of signs (DNA) rather
than words."""


def is_unspaced(text: str) -> bool:
    """Whether most of the letters of `text` are of such a script."""
    found = len(_UNSPACED.findall(text))
    return found > 0 and found > sum(map(str.isalpha, text)) / 2


def of(texts: Iterable[str]) -> Literal["words", "characters"]:
    """What texts are made of."""
    letters = unspaced = tokens = 0
    for text in texts:
        letters += sum(map(str.isalnum, text))
        unspaced += len(_UNSPACED.findall(text))
        tokens += len(text.split())
    if unspaced > letters / 2 or letters > LONGEST_WORD * tokens:
        return "characters"
    return "words"
