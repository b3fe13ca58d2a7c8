"""Edit distance between sequences."""

from __future__ import annotations

from collections.abc import Sequence


def distance(reference: Sequence[object], said: Sequence[object]) -> int:
    """Fewest substitutions, insertions and deletions between them (Levenshtein 1966)."""
    row = list(range(len(said) + 1))
    for i, wanted in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, found in enumerate(said, 1):
            kept = diagonal + (wanted != found)
            diagonal = row[j]
            row[j] = min(kept, row[j] + 1, row[j - 1] + 1)
    return row[-1]
