"""What metrics of generated texts are computed from, an example at a time.

Every row adds up over examples: edits and lengths do by themselves, and BLEU and chrF are functions
of sums of matches, which sacrebleu counts (Post 2018).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gatewise.artifacts.objectives._edits import distance
from gatewise.config.metrics import TEXT_ROWS

if TYPE_CHECKING:
    from gatewise.artifacts.objectives._texts import Symbols

Tokenizer = Literal["13a", "intl", "char", "none"]
"""How BLEU cuts a text into words, by sacrebleu's names."""
MEMORY = 1 << 14
"""Examples whose counts are remembered."""


def rows(
    wanted: Sequence[Sequence[Symbols]],
    said: Sequence[Symbols],
    texts: tuple[Sequence[Sequence[str]], Sequence[str]],
    words: Tokenizer,
) -> np.ndarray:
    """All rows, float64 `(examples, TEXT_ROWS)`.

    Args:
        wanted: for each example the texts that are right, by their symbols.
        said: for each example the text that was said.
        texts: both as texts.
        words: how BLEU cuts texts.
    """
    counts = np.zeros((len(said), TEXT_ROWS))
    for place, (right, own, *both) in enumerate(zip(wanted, said, *texts, strict=True)):
        frozen = tuple(map(tuple, right)), tuple(own), tuple(both[0]), str(both[1])
        counts[place] = _row(*frozen, words)
    return counts


@functools.lru_cache(maxsize=MEMORY)
def _row(
    wanted: tuple[tuple[str, ...], ...],
    said: tuple[str, ...],
    wanted_texts: tuple[str, ...],
    said_text: str,
    words: Tokenizer,
) -> tuple[float, ...]:
    """Rows of one example; from epoch to epoch many are the same."""
    bleu, chrf = _scorers(words)
    streams = [[text] for text in wanted_texts]
    # What sacrebleu's significance tests resample; its public scores keep no statistics of chrF.
    (matches,), (runs,) = (
        scorer._extract_corpus_statistics([said_text], streams) for scorer in (bleu, chrf)
    )
    return (*_edits(wanted, said), *map(float, matches), *map(float, runs))


def _edits(
    wanted: tuple[tuple[str, ...], ...], said: tuple[str, ...]
) -> tuple[float, float, float, float]:
    """Rows `EDITS` to `SEQUENCES` of the alternative with the lowest error rate.

    The first of equally near ones counts.
    """
    found = [(distance(text, said), len(text)) for text in wanted]
    fewest, length = min(found, key=lambda both: both[0] / max(1, both[1]))
    return float(fewest), float(length), float(fewest == 0), 1.0


@functools.cache
def _scorers(words: Tokenizer) -> tuple[Any, Any]:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    return BLEU(tokenize=words, force=True), CHRF()
