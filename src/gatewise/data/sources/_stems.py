"""Stems of English words, for groups: what is derived from a word must not be tested beside it."""

from __future__ import annotations

import re

LEAST = 3
"""Letters that taking an ending away leaves."""
ENDINGS = (
    *("'s", "s'", "'", "ships", "ship", "nesses", "ness", "less", "fully", "ful", "ments", "ment"),
    *("ations", "ation", "ings", "ingly", "ing", "edly", "ed", "ers", "er", "est", "ors", "or"),
    *("ably", "able", "ally", "ly", "ies", "es", "s", "ied", "ier", "iest", "y", "e", "i"),
)
"""Taken away again and again, the longest first."""
_LONGEST_FIRST = sorted(ENDINGS, key=lambda ending: (-len(ending), ending))


def stem(word: str) -> str:
    """A word without its endings, and without the second of two equal letters before them.

    Coarser than the stemmers of search (Porter 1980): two words too many in a group cost nothing,
    two too few would tell a model the answer.
    """
    left = word
    while ending := next((one for one in _LONGEST_FIRST if _ends(left, one)), ""):
        left = left[: -len(ending)]
    return re.sub(r"([b-df-hj-np-tvwxz])\1$", r"\1", left.replace("'", ""))


def _ends(word: str, ending: str) -> bool:
    return word.endswith(ending) and len(word) - len(ending) >= LEAST
