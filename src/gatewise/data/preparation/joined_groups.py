"""Texts that are nearly the same, where we cut the split ourselves: their groups become one.

Only a split that somebody published can separate near-duplicates for good. Ours is cut by group, so
it need not: groups that it would tear apart are joined, and the split is cut again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gatewise.artifacts import splits
from gatewise.config import SplitConfig
from gatewise.data.preparation import near_duplicates
from gatewise.errors import GatewiseError

LARGEST_SHARE = 0.5
"""Of the examples in one joined group: beyond it the texts are no examples of their own."""


@dataclass(frozen=True)
class Division:
    """Groups and splits of all examples."""

    groups: np.ndarray
    """`(examples,)` of names."""
    split: np.ndarray
    """`(examples,)` of `train`, `validation` or `test`."""
    joined: int = 0
    """Groups that were joined to others."""


def divide(
    published: Sequence[str],
    groups: Sequence[str],
    config: SplitConfig,
    keys: np.ndarray,
    usable: np.ndarray,
    text_of: Callable[[int], str],
) -> Division:
    """Split texts so that near-duplicates stay together, as far as the split is ours.

    Args:
        published: the split of each text as its source gives it, or "".
        groups: the group of each text.
        config: fractions.
        keys: from `near_duplicates.band_keys`, of all texts.
        usable: bool `(texts,)`; only these are looked at.
        text_of: gives a text by its row.

    Returns:
        The division. Where joining would leave a split empty or one group with most of the texts,
        that without any joining: the certificate then refuses what crosses.

    Raises:
        GatewiseError: the texts cannot be split at all.
    """
    plain = Division(np.asarray(groups, dtype=object), splits.complete(published, groups, config))
    ours = _cut_by_us(np.asarray(published, dtype=object)) & usable
    places = np.flatnonzero(ours)
    if not len(places):
        return plain
    parents: dict[str, str] = {}
    division = plain
    while crossing := near_duplicates.crossing(
        keys[places], division.split[places], lambda place: text_of(int(places[place]))
    ):
        for pair in crossing:
            _join(parents, groups[places[pair.row]], groups[places[pair.other]])
        merged = np.array([_root(parents, group) for group in groups], dtype=object)
        _, counts = np.unique(merged, return_counts=True)
        try:
            split = splits.complete(published, merged.tolist(), config)
        except GatewiseError:
            return plain
        if counts.max() > LARGEST_SHARE * len(groups):
            return plain
        division = Division(merged, split, len(set(groups)) - len(counts))
    if division.joined:
        print(
            f"near-duplicates: {division.joined} groups were joined to others that hold nearly "
            "the same texts, so that no split separates them",
            file=sys.stderr,
        )
    return division


def _cut_by_us(published: np.ndarray) -> np.ndarray:
    """Whether each text's split is ours to cut: where none is published, or only validation."""
    ours: np.ndarray = published == ""
    return ours if "validation" in published else ours | (published == "train")


def _root(parents: dict[str, str], group: str) -> str:
    while group in parents:
        group = parents[group]
    return group


def _join(parents: dict[str, str], one: str, other: str) -> None:
    """Put both groups under one name, which is the first of them in the alphabet."""
    first, second = sorted((_root(parents, one), _root(parents, other)))
    if first != second:
        parents[second] = first
