"""Stored predictions in brief: what evidence needs of each run, read once.

A run's thousands of predictions become counts by test group, a confusion matrix and a digest
of the test set, so that a study of thousands of runs fits in memory.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gatewise.artifacts.runs import PREDICTIONS
from gatewise.errors import GatewiseError

Counts = npt.NDArray[np.int64]
COLUMNS = ["id", "group", "label", "predicted"]


@dataclass(frozen=True)
class Outcome:
    """One run's test predictions, counted."""

    groups: tuple[str, ...]
    """Test groups (speakers, films), sorted."""
    counts: Counts
    """`(groups, 3, classes)`: right predictions, predictions and labels of each class."""
    confusion: Counts
    """`(classes, classes)`: rows are labels, columns predictions."""
    test_set: str
    """Digest of ids and labels in any order: equal digests, equal test sets."""

    @property
    def constant(self) -> bool:
        """Whether one class is predicted throughout, though there are several."""
        return bool((self.confusion.sum(axis=0) > 0).sum() == 1 < len(self.confusion))


def read(folder: str | Path) -> Outcome:
    """Outcome of the run in `folder`.

    Raises:
        GatewiseError: the predictions are missing, lack a column or hold no row.
    """
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    path = Path(folder) / PREDICTIONS
    try:
        absent = [column for column in COLUMNS if column not in pq.read_schema(path).names]
        table = None if absent else pq.read_table(path, columns=COLUMNS)
    except FileNotFoundError:
        raise GatewiseError(f"{path}: missing; run `dvc repro train`") from None
    except (ArrowException, OSError) as error:
        raise GatewiseError(f"{path}: not readable: {error}; remove it and rerun") from None
    if not table:
        what = f"has no column {', '.join(absent)}" if absent else "holds no prediction"
        raise GatewiseError(f"{path}: {what}; run `dvc repro train`")
    label = table["label"].to_numpy().astype(np.int64)
    predicted = table["predicted"].to_numpy().astype(np.int64)
    codes = table["group"].combine_chunks().dictionary_encode()
    names = codes.dictionary.to_pylist()
    return count(label, predicted, codes.indices.to_numpy(), names, _digest(table, label))


def count(
    label: Counts,
    predicted: Counts,
    group: npt.NDArray[np.integer],
    names: list[str],
    test_set: str = "",
) -> Outcome:
    """Count predictions; `group` holds indices into `names`."""
    order = np.argsort(np.array(names, dtype=object))
    group = np.argsort(order)[group]
    classes = 1 + int(max(label.max(), predicted.max()))
    size = len(names) * classes

    def by_group(values: Counts, where: npt.NDArray[np.bool_] | None = None) -> Counts:
        flat = group * classes + values
        chosen = flat if where is None else flat[where]
        return np.bincount(chosen, minlength=size).reshape(len(names), classes)

    counts = np.stack(
        [by_group(label, label == predicted), by_group(predicted), by_group(label)], axis=1
    )
    confusion = np.bincount(label * classes + predicted, minlength=classes * classes)
    return Outcome(
        tuple(names[i] for i in order), counts, confusion.reshape(classes, classes), test_set
    )


def _digest(table: object, label: Counts) -> str:
    ids = table["id"].to_pylist()  # type: ignore[index]
    lines = sorted(f"{i}\t{k}" for i, k in zip(ids, label.tolist(), strict=True))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
