"""Tables of what settings came to: beside those by hand, and for sets held out in turn."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.rules.runs import Score
from benchmarks.rules.settings import CELLS

Scores = Sequence[Score]
"""Of the same seeds and cells, in the same order, wherever two of them are compared."""
BY_HAND = "by hand"


@dataclass(frozen=True)
class SetScores:
    """One set's scores on the seeds that all settings share."""

    name: str
    by_settings: Mapping[str, Scores]
    """Under `BY_HAND`, and under the name of each point."""
    linear: float


def mean(scores: Scores, cell: str, split: str = "test") -> float:
    """Mean score of one cell, in percent."""
    return 100 * statistics.fmean(getattr(one, split) for one in scores if one.cell == cell)


def gains(scores: Scores, others: Scores, cell: str, split: str = "test") -> list[float]:
    """What `scores` are above `others` for each seed, in points."""
    return [
        100 * (getattr(a, split) - getattr(b, split))
        for a, b in zip(scores, others, strict=True)
        if a.cell == cell
    ]


def beside_hand(sets: Sequence[SetScores], settings: str) -> list[list[str]]:
    """A row for each set and cell: by hand, by the rules, the difference and its spread."""
    rows = [["set", "cell", "by hand", "by the rules", "difference", "seconds a run", "linear"]]
    for one in sets:
        hand, ours = one.by_settings[BY_HAND], one.by_settings[settings]
        for cell in CELLS:
            apart = gains(ours, hand, cell)
            rows.append(
                [
                    one.name,
                    cell,
                    f"{mean(hand, cell):.1f}",
                    f"{mean(ours, cell):.1f}",
                    f"{statistics.fmean(apart):+.1f}{_spread(apart)}",
                    f"{_seconds(hand, cell):.0f}, {_seconds(ours, cell):.0f}",
                    f"{100 * one.linear:.1f}",
                ]
            )
    return rows


def by_point(sets: Sequence[SetScores], points: Sequence[str]) -> list[list[str]]:
    """A row for each point: what both cells came to on each set beside the settings by hand."""
    rows = [["constants", *(one.name for one in sets)]]
    for point in points:
        apart = [_gain(one, point, "test") for one in sets]
        rows.append([point, *(f"{value:+.1f}" for value in apart)])
    return rows


def held_out(sets: Sequence[SetScores], points: Sequence[str]) -> list[list[str]]:
    """A row for each set: the point that the other sets choose, and what it gives on this one.

    Chosen by validation scores; what it gives is the test score of both cells beside the settings
    made by hand.
    """
    rows = [["held out", "chosen on the others", "it gives", "the rules give", "best here"]]
    for one in sets:
        chosen = choice([other for other in sets if other is not one], points)
        best = max(points, key=lambda point: _gain(one, point, "test"))
        rows.append(
            [
                one.name,
                chosen,
                f"{_gain(one, chosen, 'test'):+.1f}",
                f"{_gain(one, points[0], 'test'):+.1f}",
                f"{_gain(one, best, 'test'):+.1f} ({best})",
            ]
        )
    return rows


def choice(sets: Sequence[SetScores], points: Sequence[str]) -> str:
    """The point that is best on average over sets, by validation scores; the first of equals."""
    return max(
        points, key=lambda point: statistics.fmean(_gain(one, point, "validation") for one in sets)
    )


def _gain(one: SetScores, point: str, split: str) -> float:
    """Points above the settings by hand, both cells together."""
    ours, hand = one.by_settings[point], one.by_settings[BY_HAND]
    return statistics.fmean(gain for cell in CELLS for gain in gains(ours, hand, cell, split))


def _seconds(scores: Scores, cell: str) -> float:
    return statistics.fmean(one.seconds for one in scores if one.cell == cell)


def _spread(values: Sequence[float]) -> str:
    return f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table whose first row is its heading."""
    ruled = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(row)} |" for row in ruled)
