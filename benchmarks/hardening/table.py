"""The result: what was tried, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

REFUSED, SURVIVED, LOST = "refused", "survived", "lost"


@dataclass(frozen=True)
class Tally:
    """Tries of one kind."""

    kind: str
    counts: Counter[str]
    note: str = ""


def table(tallies: Sequence[Tally]) -> str:
    """Markdown, a row a kind, with the sum at the end."""
    lines = [
        "| what was tried | times | refused with a sentence | survived | lost | |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    total: Counter[str] = Counter()
    kinds: dict[str, Counter[str]] = {}
    notes: dict[str, str] = {}
    for tally in tallies:
        total += tally.counts
        kinds[tally.kind] = kinds.get(tally.kind, Counter()) + tally.counts
        notes[tally.kind] = tally.note
    lines += [_row(kind, counts, notes[kind]) for kind, counts in kinds.items()]
    lines.append(_row("**all**", total))
    return "\n".join(lines)


def _row(kind: str, counts: Counter[str], note: str = "") -> str:
    numbers = (counts.total(), counts[REFUSED], counts[SURVIVED], counts[LOST])
    return f"| {kind} | {' | '.join(map(str, numbers))} | {note} |"
