"""Stored predictions in brief: what evidence needs of each run, read once.

A run's thousands of predictions become counts by test group, a confusion matrix and a digest
of the test set, so that a study of thousands of runs fits in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gatewise.artifacts import digests, runs
from gatewise.artifacts.runs import PREDICTIONS
from gatewise.config import metrics
from gatewise.errors import GatewiseError
from gatewise.files import reading

if TYPE_CHECKING:
    import pyarrow as pa

    from gatewise.config.metrics import Counts

Ints = npt.NDArray[np.int64]
COLUMNS = ["id", "group", "label", "probabilities"]


@dataclass(frozen=True)
class PredictionCounts:
    """One run's test predictions, counted."""

    groups: tuple[str, ...]
    """Test groups (speakers, films), sorted."""
    counts: Counts
    """`(groups, 4, classes)`, as `gatewise.config.metrics.count` gives them."""
    confusion: Ints
    """`(classes, classes)`: rows are labels, columns predictions."""
    test_set: str
    """Digest of ids and labels in any order: equal digests, equal test sets."""

    @property
    def examples(self) -> int:
        """Test examples."""
        return int(self.confusion.sum())

    @property
    def constant(self) -> bool:
        """Whether one class is predicted throughout, though there are several."""
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
    table = _table(path)
    labels = table["label"].to_numpy().astype(np.int64)
    flat = table["probabilities"].combine_chunks().flatten().to_numpy()
    if claimed is not None:
        found = digests.of_predictions(table["id"].to_pylist(), labels, flat)
        runs.require_same(path, found, claimed, runs.remedy(folder))
    groups = table["group"].combine_chunks().dictionary_encode()
    return count(
        labels,
        flat.reshape(len(labels), -1),
        groups.indices.to_numpy(),
        groups.dictionary.to_pylist(),
        _digest(table["id"].to_pylist(), labels),
    )


def count(
    labels: Ints,
    probabilities: npt.NDArray[np.floating],
    group: npt.NDArray[np.integer],
    names: Sequence[str],
    test_set: str = "",
) -> PredictionCounts:
    """Count predictions.

    Args:
        labels: class of each example, `(examples,)`.
        probabilities: `(examples, classes)`.
        group: index into `names` of each example's group.
        names: the test groups in any order.
        test_set: digest of ids and labels.
    """
    order = np.argsort(np.array(names, dtype=object))
    place = np.argsort(order)[group]
    classes = probabilities.shape[1]
    cells = labels * classes + probabilities.argmax(axis=1)
    return PredictionCounts(
        groups=tuple(names[i] for i in order),
        counts=metrics.count(labels, probabilities, place, len(names)),
        confusion=np.bincount(cells, minlength=classes**2).reshape(classes, classes),
        test_set=test_set,
    )


def confusion(runs: Sequence[PredictionCounts], classes: int = 0) -> Ints:
    """Confusion of several runs together, `(classes, classes)` or more where they know more."""
    size = max([classes, *(len(run.confusion) for run in runs)])
    total = np.zeros((size, size), dtype=np.int64)
    for run in runs:
        own = len(run.confusion)
        total[:own, :own] += run.confusion
    return total


def _table(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    try:
        with reading(path, runs.remedy(path.parent)):
            absent = [column for column in COLUMNS if column not in pq.read_schema(path).names]
            table = (
                None
                if absent
                else pq.read_table(path, columns=COLUMNS, page_checksum_verification=True)
            )
    except FileNotFoundError:
        raise GatewiseError(f"{path}: missing; run `dvc repro train`") from None
    if not table:
        what = f"has no column {', '.join(absent)}" if absent else "holds no prediction"
        raise GatewiseError(f"{path}: {what}; run `dvc repro train`")
    return table


def _digest(ids: Sequence[str], labels: Ints) -> str:
    lines = sorted(f"{i}\t{k}" for i, k in zip(ids, labels.tolist(), strict=True))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
