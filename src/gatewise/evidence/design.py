"""How seeds relate to each other on a task, and what a bound over them speaks of.

With one split, or groups drawn anew for each seed, seeds are independent. With balanced splits
(`gatewise.artifacts.balanced`) they come in rounds that test every group once; what a group does to
a difference then cancels within a round, so rounds scatter less than seeds, and only they are
exchangeable. Flipping the signs of whole rounds uses that, but few rounds make a coarse test: below
`FEWEST_ROUNDS` the signs of seeds are flipped, as if they were independent. That is cautious,
since the seeds of a round, testing different groups, vary more than their mean shows.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatewise.artifacts import balanced
from gatewise.artifacts.prepared import TaskCard
from gatewise.config import SplitConfig

FEWEST_ROUNDS = 8
"""Rounds from which they are the units that are flipped."""


@dataclass(frozen=True)
class Design:
    """What the seeds of a task have in common."""

    round: int
    """Seeds in a unit; 1 where each stands for itself."""
    speaks_of: str
    """What bounds over the seeds generalise over, beside other seeds."""


def of(card: TaskCard | None, groups: int | None, seeds: int) -> Design:
    """The design of a task.

    Args:
        card: of the prepared task, if known.
        groups: that are tested over all seeds, if known.
        seeds: at the first look, which settles the units for all looks.
    """
    if card is None or not card.resample:
        return Design(1, "this test set")
    split = SplitConfig.model_validate(card.split)
    named = f"{groups} groups" if groups else "groups"
    if split.resample != "balanced" or groups is None:
        return Design(1, f"splits of these {named}, drawn at random")
    per_round = balanced.seeds_in_round(groups, split)
    units = per_round if seeds // per_round >= FEWEST_ROUNDS else 1
    return Design(units, f"these {named}, each tested equally often")
