"""A promise and its outcome in plain words."""

from __future__ import annotations

from gatewise.artifacts.promise import Outcome, Promise
from gatewise.config.metrics import Metric
from gatewise.evidence.answer_words import amount
from gatewise.evidence.promise import DISAGREEMENT, MORE


def sentences(made: Promise, metric: Metric, power: float) -> list[str]:
    """What the study can tell on a task, a sentence each."""
    if made.spreads is None:
        return [
            f"{made.seeds} seeds cannot decide a primary pair; {made.fewest_seeds} can.",
            *_limit(made, metric),
        ]
    found = f"{made.seeds} seeds are likely ({100 * power:g} %) to find differences of"
    if made.smallest is None or made.spread is None:
        sentence = f"{found} {made.spreads:.1f} times their scatter over seeds."
    else:
        why = (
            "as differences scattered before"
            if made.measured
            else f"at best: if variants disagree on {100 * DISAGREEMENT:g} % of the test examples "
            "and seeds add nothing"
        )
        sentence = f"{found} {amount(made.smallest, metric)} ({why})."
    return [sentence, *_limit(made, metric)]


def _limit(made: Promise, metric: Metric) -> list[str]:
    if made.limit is None or made.limit_of_more is None or made.examples is None:
        return []
    return [
        f"What holds on other examples, too: {made.examples:,} test examples cannot show less than "
        f"{amount(made.limit, metric)}, however many seeds; {MORE * made.examples:,} could show "
        f"{amount(made.limit_of_more, metric)}."
    ]


def compared(made: Promise, turned_out: Outcome, metric: Metric) -> str:
    """Promise and outcome side by side."""
    if made.smallest is None or turned_out.smallest is None:
        return (
            f"Differences scattered by {amount(turned_out.spread, metric)} over "
            f"{turned_out.seeds} seeds."
        )
    return (
        f"Promised at best: differences of {amount(made.smallest, metric)} with {made.seeds} "
        f"seeds. It turned out: {amount(turned_out.smallest, metric)} with {turned_out.seeds}, as "
        f"differences scattered by {amount(turned_out.spread, metric)}."
    )
