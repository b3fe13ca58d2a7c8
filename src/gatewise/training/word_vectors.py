"""Embeddings to start from, learnt from which words stand near each other in the training split.

Positive pointwise mutual information of words within a window, factorised (Levy, Goldberg & Dagan
2015, "Improving distributional similarity with lessons learned from word embeddings"): words that
occur in the same company start alike, although no label told them to. Of the training split alone:
neither validation nor test texts are looked at.

Counts are whole numbers. Sums over them, logarithms and the factorisation are in double precision
and one thread, whose bits are those of `execution.instructions`; signs, which a factorisation
leaves open, are fixed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import sparse

WINDOW = 5
"""Words to either side that count as company; nearer ones count more, by equal steps."""
SMOOTHING = 0.75
"""Exponent on how often a context word occurs: rare ones would else seem to tell too much."""
POWER_ITERATIONS = 7
"""Of the randomised factorisation (Halko, Martinsson & Tropp 2011)."""
FEWEST_COUNTS = 1
"""Words that were never seen in company keep their random start."""

Ids = npt.NDArray[np.integer]
Vectors = npt.NDArray[np.float64]


def vectors(documents: Iterator[Ids], vocabulary: int, width: int) -> tuple[Vectors, Ids]:
    """Vectors of the words that stand in company, each element about as large as a random start's.

    Args:
        documents: token ids of each training text, `(steps,)`.
        vocabulary: number of token ids; 0 is padding.
        width: elements of a vector.

    Returns:
        `(words, width)` and the words' ids; none where no text has two words.
    """
    counts = cooccurrences(documents, vocabulary)
    seen = np.flatnonzero(np.asarray(counts.sum(axis=1)).ravel() >= FEWEST_COUNTS)
    if len(seen) <= 1:
        return np.zeros((0, width)), seen[:0]
    factors = _factorise(ppmi(counts[seen][:, seen]), width)
    lengths = np.sqrt((factors**2).sum(axis=1, keepdims=True))
    known = lengths[:, 0] > 0
    # Every word equally long: that of a random start, whose elements have a variance of one.
    return factors[known] / lengths[known] * np.sqrt(width), seen[known]


def cooccurrences(documents: Iterator[Ids], vocabulary: int) -> sparse.csr_array:
    """How often each word stands near each other one, `(vocabulary, vocabulary)`, symmetric.

    At a distance of d words a pair counts `WINDOW + 1 - d` times, as in word2vec.
    """
    total = sparse.csr_array((vocabulary, vocabulary), dtype=np.int64)
    texts = [np.asarray(text, dtype=np.int64) for text in documents]
    if not texts:
        return total
    ids = np.concatenate(texts)
    text = np.repeat(np.arange(len(texts)), [len(one) for one in texts])
    for distance in range(1, WINDOW + 1):
        together = text[:-distance] == text[distance:]
        left, right = ids[:-distance][together], ids[distance:][together]
        weight = np.full(len(left), WINDOW + 1 - distance)
        shape = (vocabulary, vocabulary)
        total = total + sparse.coo_array((weight, (left, right)), shape).tocsr()
    return sparse.csr_array(total + total.T)


def ppmi(counts: sparse.csr_array) -> sparse.csr_array:
    """Positive pointwise mutual information, in nats, of symmetric counts without empty rows."""
    words = np.asarray(counts.sum(axis=1), dtype=float).ravel()
    contexts = words**SMOOTHING
    pairs = counts.tocoo()
    rows, columns = pairs.coords
    value = np.log(pairs.data * (contexts.sum() / (words[rows] * contexts[columns])))
    kept = value > 0
    return sparse.coo_array((value[kept], (rows[kept], columns[kept])), shape=counts.shape).tocsr()


def _factorise(matrix: sparse.csr_array, width: int) -> Vectors:
    """Rows of U sqrt(S), `(words, width)`; columns beyond the matrix's rank are zero."""
    from sklearn.utils.extmath import randomized_svd
    from threadpoolctl import threadpool_limits

    rank = min(width, matrix.shape[0] - 1)
    with threadpool_limits(1):
        u, s, _ = randomized_svd(
            sparse.csr_matrix(matrix),
            n_components=rank,
            n_iter=POWER_ITERATIONS,
            power_iteration_normalizer="QR",
            random_state=0,
        )
    factors = np.zeros((matrix.shape[0], width))
    factors[:, :rank] = u * np.sqrt(s)
    return factors
