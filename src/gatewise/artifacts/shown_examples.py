"""Which test examples of a task are shown: the worst for all variants, and typical ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from gatewise.artifacts.runs import RunRecord

Sorted = tuple[str, int]
"""`typical` or `worst`, and the place of the example."""


def shared_seed(records: Iterable[RunRecord]) -> int | None:
    """The first seed that all variants have."""
    seeds: dict[str, set[int]] = {}
    for record in records:
        seeds.setdefault(record.variant, set()).add(record.seed)
    shared = set.intersection(*seeds.values()) if seeds else set()
    return min(shared, default=None)


def examples(measures: Mapping[str, np.ndarray], each: int) -> Iterator[Sorted]:
    """The examples to show.

    Args:
        measures: how bad each answer is, by variant, `(examples,)`.
        each: examples of either sort.
    """
    order = np.argsort(np.mean(list(measures.values()), axis=0), kind="stable").tolist()
    middle = max(0, len(order) // 2 - each // 2)
    worst = order[::-1][:each]
    yield from (("typical", place) for place in order[middle:][:each] if place not in worst)
    yield from (("worst", place) for place in worst)
