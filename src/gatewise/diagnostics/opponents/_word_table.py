"""A word for a word: the likeliest translation of each, learnt without knowing which is whose.

IBM model 1 (Brown et al. 1993): every word of a text was said for some word of its input, or for
none, whichever their places; expectation and maximisation find how likely each word says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ROUNDS = 6
MOST = 4_000_000
"""Pairs of words that are looked at; texts beyond are left out."""
NONE = -1
Ints = npt.NDArray[np.integer]


@dataclass(frozen=True)
class WordTable:
    """The likeliest word for each."""

    best: Ints
    """Symbol for each token, `(vocabulary,)`; `NONE` for tokens that training lacks."""

    def say(self, tokens: Ints) -> Ints:
        """The text of an input, word for word."""
        said = self.best[tokens]
        kept: Ints = said[said != NONE]
        return kept


def learn(inputs: Sequence[Ints], texts: Sequence[Ints], vocabulary: int) -> WordTable:
    """Fill the table.

    Args:
        inputs: token ids of each example, below `vocabulary`.
        texts: symbols that should be said, not negative.
        vocabulary: number of token ids.
    """
    token, symbol, place = _meetings(inputs, texts, vocabulary)
    pairs, which = np.unique(np.stack([token, symbol], axis=1), axis=0, return_inverse=True)
    which, of = which.ravel(), pairs[:, 0]
    likely: npt.NDArray[np.float64] = np.ones(len(pairs))
    for _ in range(ROUNDS):
        weight = likely[which]
        weight /= np.bincount(place, weight)[place]
        counts = np.bincount(which, weight, minlength=len(pairs))
        likely = counts / np.bincount(of, counts)[of]
    order = np.lexsort((pairs[:, 1], -likely, of))
    first = np.flatnonzero(np.diff(of[order], prepend=-1))
    best = np.full(vocabulary + 1, NONE)
    best[of[order][first]] = pairs[order][first, 1]
    return WordTable(best[:vocabulary])


def _meetings(
    inputs: Sequence[Ints], texts: Sequence[Ints], vocabulary: int
) -> tuple[Ints, Ints, Ints]:
    """Token, symbol and the symbol's place of all that occur in one example, `(meetings,)`."""
    tokens, symbols, places = [], [], []
    said = met = 0
    for own, text in zip(inputs, texts, strict=True):
        with_none = np.append(own, vocabulary)
        tokens.append(np.tile(with_none, len(text)))
        symbols.append(np.repeat(text, len(with_none)))
        places.append(np.repeat(np.arange(said, said + len(text)), len(with_none)))
        said, met = said + len(text), met + len(tokens[-1])
        if met > MOST:
            break
    token, symbol, place = (np.concatenate(part) for part in (tokens, symbols, places))
    return token, symbol, place
