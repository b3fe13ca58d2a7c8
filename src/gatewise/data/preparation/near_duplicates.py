"""Near-duplicate texts across splits: MinHash (Broder 1997) with banding.

Band keys live in one array, 0.1 kB a document; a general index of Python dictionaries
(datasketch's `MinHashLSH` at the same setting) was measured at 4 kB. Candidates are checked
by their exact Jaccard similarity, so banding can only miss a pair (1 in 100 at the threshold),
never invent one.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass

import numpy as np

from gatewise.artifacts.manifest import normalised

THRESHOLD = 0.8
"""Jaccard similarity of shingles from which two texts count as near-duplicates."""
SHINGLE = 5  # characters of the normalised text
READ = 20_000  # characters of a document that are looked at: bounds time and memory
BANDS, ROWS = 12, 5
# P(candidate) = 1 - (1 - s^ROWS)^BANDS: 0.99 at s = 0.8, 0.1 at s = 0.4.

_PRIME = np.uint64((1 << 31) - 1)  # products of two values below it fit into 64 bits


def shingles(text: str) -> set[int]:
    """Hashes of all runs of `SHINGLE` characters of the normalised text."""
    # Four bytes a character: in UTF-8 a run would hold five letters, but not two of Chinese.
    encoded = normalised(text[:READ]).encode("utf-32-le")
    last = max(4, len(encoded) - 4 * (SHINGLE - 1))
    return {zlib.crc32(encoded[start : start + 4 * SHINGLE]) for start in range(0, last, 4)}


def jaccard(one: Set[int], other: Set[int]) -> float:
    """Shared elements as a part of all; neither set is empty."""
    return len(one & other) / len(one | other)


def band_keys(texts: Iterable[str]) -> np.ndarray:
    """MinHash band keys, uint64 `(texts, BANDS)`: similar texts share at least one."""
    draw = np.random.default_rng(0)  # any fixed family of hash functions will do
    factor = draw.integers(1, _PRIME, BANDS * ROWS, dtype=np.uint64)[:, None]
    offset = draw.integers(0, _PRIME, BANDS * ROWS, dtype=np.uint64)[:, None]
    mix = draw.integers(1, 1 << 63, ROWS, dtype=np.uint64) | np.uint64(1)
    keys = []
    for text in texts:
        hashes = np.fromiter(shingles(text), dtype=np.uint64) % _PRIME
        signature = ((factor * hashes + offset) % _PRIME).min(axis=1)
        keys.append((signature.reshape(BANDS, ROWS) * mix).sum(axis=1))
    return np.array(keys, dtype=np.uint64).reshape(-1, BANDS)


@dataclass(frozen=True)
class Pair:
    """Two texts of different parts that are nearly the same."""

    row: int
    other: int
    """Row of the one that was seen earlier."""
    similarity: float
    """Jaccard similarity of their shingles, `THRESHOLD` to 1."""


def crossing(
    keys: np.ndarray, parts: Sequence[str] | np.ndarray, text_of: Callable[[int], str]
) -> list[Pair]:
    """Near-duplicates that lie in different parts.

    Args:
        keys: from `band_keys`.
        parts: the split (or group) of each text.
        text_of: gives a text by its row.

    Returns:
        One pair for each row that has a near-duplicate in a part seen earlier, by row.
    """
    _, codes = np.unique(np.asarray(parts), return_inverse=True)
    pairs: dict[int, Pair] = {}
    for band in range(keys.shape[1]):
        order = np.lexsort((codes, keys[:, band]))
        edges = np.flatnonzero(np.diff(keys[order, band])) + 1
        for candidates in np.split(order, edges):
            if codes[candidates[0]] == codes[candidates[-1]]:
                continue  # sorted by part within the band: nothing crosses
            _search(candidates, codes, text_of, pairs)
    return [pair for _, pair in sorted(pairs.items())]


def _search(
    candidates: np.ndarray,
    codes: np.ndarray,
    text_of: Callable[[int], str],
    pairs: dict[int, Pair],
) -> None:
    """Add to `pairs` what is similar among candidates that share a band's key."""
    # One representative a part and distinct shingle set keeps long runs of boilerplate cheap.
    seen: dict[tuple[int, frozenset[int]], int] = {}
    for row in candidates.tolist():
        own = frozenset(shingles(text_of(row)))
        if row not in pairs:
            for (part, other), place in seen.items():
                if part == codes[row]:
                    continue
                similarity = jaccard(own, other)
                if similarity >= THRESHOLD:
                    pairs[row] = Pair(row, place, similarity)
                    break
        seen.setdefault((int(codes[row]), own), row)
