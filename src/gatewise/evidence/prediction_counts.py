"""Stored predictions in brief: what evidence needs of each run, read once.

A run's thousands of predictions become counts by test group, a confusion matrix where there are
classes, and a digest of the test set, so that a study of thousands of runs fits in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gatewise.artifacts import predictions, runs
from gatewise.artifacts.predictions import Predictions
from gatewise.artifacts.runs import PREDICTIONS
from gatewise.errors import GatewiseError
from gatewise.files import reading

if TYPE_CHECKING:
    from gatewise.config.metrics import Counts

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PredictionCounts:
    """One run's test predictions, counted."""

    groups: tuple[str, ...]
    """Test groups (speakers, films), sorted."""
    counts: Counts
    """`(groups, rows, columns)`, as the task's objective counts: `(groups, 4, classes)` where
    there are classes."""
    confusion: Ints | None
    """`(classes, classes)`: rows are labels, columns predictions; nothing without classes."""
    test_set: str
    """Digest of ids and truth in any order: equal digests, equal test sets."""
    examples: int
    """Test examples."""

    @property
    def constant(self) -> bool:
        """Whether one class is predicted throughout, though there are several."""
        if self.confusion is None:
            return False
        return bool((self.confusion.sum(axis=0) > 0).sum() == 1 < len(self.confusion))


def read(folder: str | Path, claimed: str | None = None) -> PredictionCounts:
    """Counts of the run in `folder`.

    Args:
        folder: run folder.
        claimed: digest of the predictions that the run's record names; not checked if `None`.

    Raises:
        GatewiseError: the predictions are missing, lack a column, hold no row, or are not those
            that the record names.
    """
    path = Path(folder) / PREDICTIONS
    found = _predictions(path)
    if claimed is not None:
        runs.require_same(path, found.digest, claimed, runs.remedy(folder))
    return count(found)


def count(found: Predictions) -> PredictionCounts:
    """Count predictions."""
    names: list[str] = found.group.dictionary.to_pylist()
    order = np.argsort(np.array(names, dtype=object))
    place = np.argsort(order)[found.group.indices.to_numpy()]
    return PredictionCounts(
        groups=tuple(names[i] for i in order),
        counts=found.kind.counts(found.columns, place, len(names)),
        confusion=found.kind.confusion(found.columns),
        test_set=found.test_set,
        examples=len(found.ids),
    )


def confusion(runs: Sequence[PredictionCounts], classes: int = 0) -> Ints | None:
    """Confusion of several runs together, `(classes, classes)` or more where they know more.

    Returns:
        Nothing where there are no classes to confuse.
    """
    known = [run.confusion for run in runs if run.confusion is not None]
    if len(known) < len(runs):
        return None
    size = max([classes, *map(len, known)])
    total = np.zeros((size, size), dtype=np.int64)
    for own in known:
        total[: len(own), : len(own)] += own
    return total


def _predictions(path: Path) -> Predictions:
    import pyarrow.parquet as pq

    try:
        with reading(path, runs.remedy(path.parent)):
            absent = predictions.absent(pq.read_schema(path).names)
            found = None if absent else predictions.read(path)
    except FileNotFoundError:
        raise GatewiseError(f"{path}: missing; run `dvc repro train`") from None
    if found is None or not found.ids:
        what = f"has no column {', '.join(absent)}" if absent else "holds no prediction"
        raise GatewiseError(f"{path}: {what}; run `dvc repro train`")
    return found
