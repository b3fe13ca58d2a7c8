"""Parts of the test set: classes, groups, lengths, and what the reference had not seen tested.

In a part it is the metric that the objective names which must not fall, whatever the primary one:
accuracy where there are classes, so that one margin in one unit fits all parts of such tasks.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from gatewise.config import GateSlices
from gatewise.config.metrics import METRICS, Metric
from gatewise.config.objectives import objective_class, objective_kinds
from gatewise.delivery.gate.interval import PairedSeed

Mask = Callable[[PairedSeed], npt.NDArray[np.bool_]]


def scored_by(primary: Metric) -> Metric:
    """What parts are scored by, in a task with this primary metric."""
    kinds = [objective_class(kind) for kind in objective_kinds()]
    (kind,) = (kind for kind in kinds if primary.name in kind.metrics)
    return METRICS[kind.slices]


def cut(
    pairs: Sequence[PairedSeed], labels: Sequence[str], settings: GateSlices
) -> Iterator[tuple[str, list[PairedSeed]]]:
    """Every slice that has enough examples, with its name (`class seven`, `group lucas`).

    Args:
        pairs: one entry a seed.
        labels: names of the classes.
        settings: what to slice by, and from how many examples on.
    """
    for name, mask in _masks(pairs, labels, settings):
        chosen = [pair.where(mask(pair)) for pair in pairs]
        chosen = [pair for pair in chosen if len(pair.label)]
        examples = sum(len(pair.label) for pair in chosen)
        if examples >= settings.fewest and examples < sum(len(pair.label) for pair in pairs):
            yield name, chosen


def _masks(
    pairs: Sequence[PairedSeed], labels: Sequence[str], settings: GateSlices
) -> Iterator[tuple[str, Mask]]:
    if "class" in settings.by:
        for number, name in enumerate(labels):
            yield f"class {name}", lambda pair, k=number: pair.label == k  # type: ignore[misc]
    if "group" in settings.by:
        for group in sorted({group for pair in pairs for group in pair.groups}):
            yield f"group {group}", lambda pair, g=group: pair.groups == g  # type: ignore[misc]
    if "length" in settings.by:
        yield from _lengths(pairs, settings.length_buckets)
    if "age" in settings.by:
        yield "known examples", lambda pair: pair.known
        yield "new examples", lambda pair: ~pair.known


def _lengths(pairs: Sequence[PairedSeed], buckets: int) -> Iterator[tuple[str, Mask]]:
    lengths = np.concatenate([pair.length for pair in pairs])
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, buckets + 1), method="nearest"))
    for number, (low, high) in enumerate(itertools.pairwise(edges)):
        last = number == len(edges) - 2
        top = int(high) if last else int(high) - 1
        name = f"length {int(low)} to {top}" if top > low else f"length {int(low)}"
        yield (
            name,
            lambda pair, a=low, b=top: (pair.length >= a) & (pair.length <= b),  # type: ignore[misc]
        )
