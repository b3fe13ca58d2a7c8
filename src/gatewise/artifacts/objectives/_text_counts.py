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


def edits(wanted: Sequence[Symbols], said: Symbols) -> tuple[float, float, float, float]:
    """Rows `EDITS` to `SEQUENCES` of the alternative with the lowest error rate.

    Args:
        wanted: the texts that are right; the first of equally near ones counts.
        said: what was said.
    """
    found = [(distance(text, said), len(text)) for text in wanted]
    fewest, length = min(found, key=lambda both: both[0] / max(1, both[1]))
    return float(fewest), float(length), float(fewest == 0), 1.0


def matches(wanted: Sequence[Sequence[str]], said: Sequence[str], words: Tokenizer) -> np.ndarray:
    """Rows `SAID` to `COMMON_RUNS`, float64 `(examples, rows)`.

    Args:
        wanted: for each example the texts that are right.
        said: for each example the text that was said.
        words: how BLEU cuts texts.
    """
    most = max((len(texts) for texts in wanted), default=1)
    streams = [[texts[k] if k < len(texts) else None for texts in wanted] for k in range(most)]
    bleu, chrf = _scorers(words)
    # What sacrebleu's significance tests resample; its public scores keep no statistics of chrF.
    counts = [scorer._extract_corpus_statistics(list(said), streams) for scorer in (bleu, chrf)]
    return np.concatenate([np.array(part, np.float64) for part in counts], axis=1)


def rows(
    wanted: Sequence[Sequence[Symbols]],
    said: Sequence[Symbols],
    texts: tuple[Sequence[Sequence[str]], Sequence[str]],
    words: Tokenizer,
) -> np.ndarray:
    """All rows, float64 `(examples, TEXT_ROWS)`; `texts` are `wanted` and `said` as texts."""
    if not said:
        return np.zeros((0, TEXT_ROWS))
    each = [edits(right, own) for right, own in zip(wanted, said, strict=True)]
    return np.concatenate([np.array(each), matches(*texts, words)], axis=1)


@functools.cache
def _scorers(words: Tokenizer) -> tuple[Any, Any]:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    return BLEU(tokenize=words, force=True), CHRF()
