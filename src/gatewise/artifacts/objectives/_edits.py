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


def pairs(reference: Sequence[object], said: Sequence[object]) -> list[tuple[int, int]]:
    """Places of symbols that stand for each other where edits are fewest, right or replaced.

    Symbols that were left out or added are in no pair. Of equally few edits those count that
    replace latest.
    """
    wanted, given = len(reference), len(said)
    fewest = [[i + j for j in range(given + 1)] for i in range(wanted + 1)]
    for i in range(1, wanted + 1):
        for j in range(1, given + 1):
            kept = fewest[i - 1][j - 1] + (reference[i - 1] != said[j - 1])
            fewest[i][j] = min(kept, fewest[i - 1][j] + 1, fewest[i][j - 1] + 1)
    found, i, j = [], wanted, given
    while i and j:
        if fewest[i][j] == fewest[i - 1][j - 1] + (reference[i - 1] != said[j - 1]):
            i, j = i - 1, j - 1
            found.append((i, j))
        elif fewest[i][j] == fewest[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return found[::-1]
