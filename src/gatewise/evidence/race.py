"""Standings that hold at every look, where variants leave as they are shown not to be the best.

Each look has its share of the level (`gatewise.evidence.sequential`), so with the stated
confidence the bounds of all looks hold together: a variant is a contender if no look excluded it,
and its shortfall is the smallest that any look gave. One that was excluded needs no more seeds.

Nothing here has a memory: all looks follow from the scores in the order of the seeds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gatewise.evidence import best, sequential


@dataclass(frozen=True)
class Look:
    """A moment at which results are looked at."""

    units: int
    """Exchangeable units (seeds, or rounds of them) that every variant still in has by then."""
    alpha: float
    """Share of the level that is spent on it."""


@dataclass(frozen=True)
class Place:
    """What is known of one variant."""

    contender: bool
    shortfall: float
    """Infinite where nothing bounds it."""
    units: int
    """Those that it was last weighed with."""


def looks(at: Sequence[int] | None, units: int, alpha: float) -> list[Look]:
    """The looks that were planned, or the only one of a study with a fixed number of seeds.

    Args:
        at: units at each planned look, those to come included; `None` if nothing is added.
        units: as many as there are.
        alpha: level of all looks together.
    """
    if at is None:
        return [Look(units, alpha)]
    levels = sequential.nominal_levels(tuple(at), alpha)
    return [Look(n, level) for n, level in zip(at, levels, strict=True)]


def follow(gains: Mapping[str, Sequence[float]], planned: Sequence[Look]) -> dict[str, Place]:
    """The place of each variant after all looks that its scores suffice for.

    Args:
        gains: of each variant and unit, in an order that all variants share, turned so that
            higher is better; a variant that left has fewer.
        planned: looks in order.
    """
    places = {name: Place(True, math.inf, 0) for name in gains}
    for look in planned:
        racing = [name for name, place in places.items() if place.contender]
        # A bound on the best is one only where all are weighed that may be it.
        if look.units < 1 or any(len(gains[name]) < look.units for name in racing):
            break
        table = np.array([gains[name][: look.units] for name in racing], dtype=float).T
        found = best.standing(table, look.alpha)
        for name, contender, shortfall in zip(
            racing, found.contender, found.shortfall, strict=True
        ):
            least = min(places[name].shortfall, float(shortfall))
            places[name] = Place(bool(contender), least, look.units)
    return places
