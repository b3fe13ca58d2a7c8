"""Attention of a task's finished runs on the few examples that the page draws.

One example that the variants together do worst on and one in the middle, as in the table of
examples; the first seed that all have run speaks for each variant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from gatewise.artifacts import runs, shown_examples
from gatewise.artifacts.context import Attended
from gatewise.artifacts.prepared import Prepared
from gatewise.artifacts.runs import RunRecord
from gatewise.diagnostics import attention
from gatewise.diagnostics.attention import AttentionMap

PICTURE = "attention"
"""By which objectives ask for it."""
EACH = 1
"""Examples of either sort."""
MOST_SAID = 40
"""Symbols of an answer that are drawn."""
MOST_READ = 100
"""Steps of an input that are drawn; neighbours of longer ones are added up."""
DIGITS = 4
"""Decimals of a share that are kept."""


@dataclass(frozen=True)
class Asked:
    """A run and the examples that it is asked about."""

    folder: Path
    prepared: Path
    variant: str
    sorts: Mapping[str, str]
    """`typical` or `worst`, by id."""


def drawn(folders: Sequence[Path], prepared: Path, pool: Executor) -> Iterator[Attended]:
    """Maps of every variant; none where models look nowhere.

    Args:
        folders: of finished runs.
        prepared: `data/prepared/<task>/`.
        pool: what asks them.

    Raises:
        GatewiseError: a run's weights are not those that its record names.
    """
    card = Prepared.open(prepared).card
    saying = card.asks.saying(card.labels)
    if PICTURE not in card.asks.pictures or saying is None or saying.attention == "none":
        return
    records = {folder: RunRecord.read(folder) for folder in folders}
    seed = shown_examples.shared_seed(records.values())
    own = {r.variant: folder for folder, r in records.items() if r.seed == seed}
    sorts = _sorts(list(own.values()), card.labels)
    asked = [Asked(folder, prepared, variant, sorts) for variant, folder in own.items()]
    yield from chain.from_iterable(pool.map(ask, asked))


def _sorts(folders: Sequence[Path], names: Sequence[str]) -> dict[str, str]:
    """Examples to draw, with their sort."""
    found = [runs.read_predictions(folder) for folder in folders]
    if not found:
        return {}
    measures = {str(k): one.kind.shown(one.columns, names).measure for k, one in enumerate(found)}
    return {found[0].ids[k]: sort for sort, k in shown_examples.examples(measures, EACH)}


def ask(asked: Asked) -> list[Attended]:
    """Where one run looks, in one thread."""
    torch.set_num_threads(1)
    found = attention.maps(asked.folder, asked.prepared, list(asked.sorts))
    return [_drawn(asked, one) for one in found]


def _drawn(asked: Asked, one: AttentionMap) -> Attended:
    said, (read, weights) = one.said[:MOST_SAID], _added_up(one.read, one.weights)
    return Attended(
        example=one.example,
        sort=asked.sorts[one.example],
        variant=asked.variant,
        read=read,
        said=said,
        weights=tuple(
            tuple(round(float(share), DIGITS) for share in row) for row in weights[: len(said)]
        ),
    )


def _added_up(read: Sequence[str], weights: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """At most `MOST_READ` steps of the input: as many neighbours together as that takes."""
    size = -(-len(read) // MOST_READ)
    if size <= 1:
        return tuple(read), weights
    firsts = range(0, len(read), size)
    names = (
        read[k] if k == last else f"{read[k]}-{read[last]}"
        for k in firsts
        for last in [min(k + size, len(read)) - 1]
    )
    return tuple(names), np.add.reduceat(weights, list(firsts), axis=1)
