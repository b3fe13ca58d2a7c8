"""The training example that is most like an example, by what both hold and in no order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

MOST = 20_000
"""Training examples that are looked through; of more, as many at equal distances."""
AT_ONCE = 256
SEGMENTS = 12
"""Parts that sequences of frames are cut into, so that all have one shape."""
Ints = npt.NDArray[np.integer]


def texts(train: Sequence[Ints], asked: Sequence[Ints], runs: int) -> Ints:
    """Nearest training texts by cosine of TF-IDF (a translation memory).

    Args:
        train: token ids of each training text.
        asked: token ids of each text to look up.
        runs: tokens of the longest runs that are counted beside single ones.

    Returns:
        A place in `train` for each of `asked`, the first of equally near ones.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    def counted(tokens: Ints) -> list[tuple[int, ...]]:
        own = tokens.tolist()
        lengths = range(1, runs + 1)
        return [run for n in lengths for run in zip(*(own[k:] for k in range(n)), strict=False)]

    weigh = TfidfVectorizer(analyzer=counted, sublinear_tf=True)
    places = _thinned(len(train))
    known = weigh.fit_transform([train[place] for place in places]).T.tocsr()
    wanted = weigh.transform(asked)
    found = [
        (wanted[first : first + AT_ONCE] @ known).toarray().argmax(axis=1)
        for first in range(0, len(asked), AT_ONCE)
    ]
    nearest: Ints = places[np.concatenate(found)]
    return nearest


def frames(train: npt.NDArray[np.floating], asked: npt.NDArray[np.floating]) -> Ints:
    """Nearest rows of `train (examples, features)` by Euclidean distance, a place for each row."""
    places = _thinned(len(train))
    known = train[places]
    size = (known**2).sum(axis=1)
    found = [
        (size - 2 * asked[first : first + AT_ONCE] @ known.T).argmin(axis=1)
        for first in range(0, len(asked), AT_ONCE)
    ]
    nearest: Ints = places[np.concatenate(found)]
    return nearest


def pooled(sequences: Sequence[npt.NDArray[np.floating]]) -> npt.NDArray[np.float64]:
    """Means over equal parts of each sequence, `(sequences, parts * features)`."""
    rows = []
    for sequence in sequences:
        edges = np.linspace(0, len(sequence), SEGMENTS + 1)
        parts = zip(edges.astype(int), np.ceil(edges).astype(int)[1:], strict=False)
        rows.append(np.concatenate([sequence[a : max(a + 1, b)].mean(axis=0) for a, b in parts]))
    return np.stack(rows).astype(np.float64)


def _thinned(count: int) -> Ints:
    """At most so many places, spread evenly."""
    spread: Any = np.unique(np.linspace(0, count - 1, min(count, MOST)).astype(np.int64))
    return np.asarray(spread)
