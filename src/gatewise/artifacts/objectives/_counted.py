"""What objectives share whose predictions carry their counts, a row of numbers an example."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from gatewise.artifacts.judged import Judged, JudgedCounts
from gatewise.artifacts.objectives import base
from gatewise.artifacts.objectives.base import Answered, Columns

if TYPE_CHECKING:
    import pyarrow as pa

    from gatewise.config.metrics import Counts

COUNTS = "counts"
"""The column that holds them."""


class Counted(base.Objective):
    """An objective with the column `counts`, float64 `(examples, rows)`."""

    types: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Type of the other columns' numbers; float32 if left out."""

    def guessing(self, names: Sequence[str]) -> float | None:
        """What guessing costs hangs on the data."""
        del names
        return None

    @classmethod
    def read(cls, table: pa.Table) -> Columns:
        """Predictions as they were stored, each column in its type: empty lists have none."""
        return {name: cls._typed(name, values) for name, values in super().read(table).items()}

    @classmethod
    def _typed(cls, name: str, values: Any) -> Any:
        kind = "<f8" if name == COUNTS else cls.types.get(name, "<f4")
        if isinstance(values, np.ndarray):
            return values.astype(kind)
        return [np.asarray(row, dtype=kind) for row in values]

    @classmethod
    def counts(cls, columns: Columns, group: Any = None, groups: int = 1) -> Counts:
        """Sums over examples, `(groups, rows, 1)`."""
        each = np.asarray(columns[COUNTS], dtype=np.float64)
        place = np.zeros(len(each), np.int64) if group is None else np.asarray(group)
        return JudgedCounts(each).counts(place, groups, 1)

    @classmethod
    def digest(cls, ids: Sequence[str], columns: Columns) -> str:
        """Over all columns."""
        hasher = hashlib.sha256("".join(f"{identifier}\n" for identifier in ids).encode())
        for name in cls.columns:
            for values in cls._typed(name, columns[name]):
                array = np.ascontiguousarray(values)
                hasher.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
                hasher.update(array.tobytes())
        return hasher.hexdigest()

    @classmethod
    def judgeable(cls, columns: Columns, names: Sequence[str]) -> dict[str, Any]:
        """What should have been answered, and the counts."""
        del names
        truth = np.array(cls.truth(columns), dtype=object)
        return {"truth": truth, COUNTS: list(columns[COUNTS])}

    @classmethod
    def judged(cls, columns: Mapping[str, Any], names: Sequence[str]) -> Judged:
        """The counts."""
        del names
        each = [np.asarray(row, dtype=np.float64) for row in columns[COUNTS]]
        return JudgedCounts(np.stack(each) if each else np.zeros((0, 1)))

    def judge(
        self, parts: Sequence[Answered], truths: Sequence[str], names: Sequence[str]
    ) -> dict[str, Any]:
        """As of the task's own data: targets mean the same there."""
        del truths
        return self.judgeable(self.predictions(parts), names)
