"""What is known of texts that are to be said: their symbols, lengths and alternatives."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Literal

import numpy as np
import pandas as pd

from gatewise.data.sources._pairs import OTHERWISE
from gatewise.data.understanding import scripts
from gatewise.data.understanding.record import Said

SCRIPT_TEXTS = 2_000
COMMON = 20
"""Times that a word of transcripts has to stand, in the middle, for words to be symbols."""


def of_pairs(rows: pd.DataFrame) -> Said:
    """Facts of the targets of pairs: words, or characters where there are no spaces.

    Args:
        rows: of a manifest.
    """
    first = [label.split(OTHERWISE)[0] for label in rows["label"]]
    script = scripts.of(itertools.islice(first, SCRIPT_TEXTS))
    return _facts(rows, "character" if script == "characters" else "word")


def of_transcripts(rows: pd.DataFrame) -> Said:
    """Facts of transcripts: words where the same few are said again, else characters.

    Args:
        rows: of a manifest.
    """
    words = _facts(rows, "word")
    if len(words.counts) and float(np.median(words.counts)) >= COMMON:
        return words
    return _facts(rows, "character")


def _facts(rows: pd.DataFrame, unit: Literal["word", "character"]) -> Said:
    texts = [label.split(OTHERWISE) for label in rows["label"]]
    symbols = [[_symbols(text, unit) for text in own] for own in texts]
    training = rows["split"].isin(["", "train"]).to_numpy()
    counts: Counter[str] = Counter()
    for own, trains in zip(symbols, training, strict=True):
        if trains:
            counts.update(itertools.chain.from_iterable(own))
    unheard = sum(
        not trains and not counts.keys() >= set(itertools.chain.from_iterable(own))
        for own, trains in zip(symbols, training, strict=True)
    )
    return Said(
        unit=unit,
        lengths=np.sort(np.array([len(own[0]) for own in symbols], dtype=np.float64)),
        counts=np.array(sorted(counts.values(), reverse=True), dtype=np.int64),
        several=sum(len(own) > 1 for own in texts),
        unheard=unheard,
    )


def _symbols(text: str, unit: str) -> list[str]:
    return text.split() if unit == "word" else list(text)
