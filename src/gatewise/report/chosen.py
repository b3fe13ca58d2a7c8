"""Which test examples a page shows: those that all variants do worst on, and some in the middle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from gatewise.artifacts import runs
from gatewise.artifacts.predictions import Predictions
from gatewise.evidence.task_evidence import TaskEvidence

Sorted = tuple[str, int]
"""`typical` or `worst`, and the place of the example."""


def first_seeds(task: str, known: TaskEvidence, root: Path) -> dict[str, Predictions]:
    """Predictions of the first seed that all variants have, by variant."""
    seeds: dict[str, set[int]] = {}
    for record in known.records:
        seeds.setdefault(record.variant, set()).add(record.seed)
    shared = set.intersection(*seeds.values()) if seeds else set()
    if not shared:
        return {}
    folders = {variant: root / task / variant / f"seed-{min(shared)}" for variant in seeds}
    return {variant: runs.read_predictions(folder) for variant, folder in folders.items()}


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
