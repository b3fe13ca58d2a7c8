"""What no study can be made of: said in a sentence before anything is written."""

from __future__ import annotations

from collections.abc import Mapping

from gatewise.errors import GatewiseError

MOST_LABELS = 1_000
"""More are hardly labels: a name or an id in each row."""
FEWEST_EXAMPLES = 60
"""Three splits of fewer tell nothing: a test set of a fifth has twelve, one of them 8 points."""
FEWEST_OF_A_LABEL = 3
"""One for each split."""
NAMED = 5


def unfit(origin: str, labels: Mapping[str, int]) -> None:
    """Refuse labels and numbers of examples that nothing can be learnt and tested from.

    Args:
        origin: names the data.
        labels: examples by label.

    Raises:
        GatewiseError: one label, too many, one that is too rare, or too few examples in all.
    """
    total = sum(labels.values())
    if len(labels) < 2:
        raise GatewiseError(
            f"{origin}: one label ({next(iter(labels))}) leaves nothing to tell apart"
            if labels
            else f"{origin}: no examples"
        )
    if len(labels) > MOST_LABELS:
        raise GatewiseError(
            f"{origin}: {len(labels):,} labels for {total:,} examples, more than are taken "
            f"({MOST_LABELS:,}); is this the label? Name another, or merge the rare ones"
        )
    few(origin, total)
    rare = sorted(label for label, count in labels.items() if count < FEWEST_OF_A_LABEL)
    if rare:
        some = ", ".join(f"{label} ({labels[label]})" for label in rare[:NAMED])
        more = f" and {len(rare) - NAMED} more" if len(rare) > NAMED else ""
        raise GatewiseError(
            f"{origin}: labels of fewer than {FEWEST_OF_A_LABEL} examples, one for each split: "
            f"{some}{more}; add examples, merge these labels, or leave them out with --without "
            "LABEL"
        )


def few(origin: str, total: int) -> None:
    """Refuse numbers of examples that nothing can be learnt and tested from.

    Raises:
        GatewiseError: there are too few.
    """
    if total < FEWEST_EXAMPLES:
        raise GatewiseError(
            f"{origin}: {total} examples in all, too few to train on some and tell anything by the "
            f"rest; gather at least {FEWEST_EXAMPLES}"
        )
