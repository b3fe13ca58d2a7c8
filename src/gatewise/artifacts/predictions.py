"""A run's predictions, read: whose they are, and what their objective makes of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.artifacts import objectives
from gatewise.artifacts.objectives import Objective
from gatewise.artifacts.objectives.base import Columns

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True)
class Predictions:
    """Predictions of one run."""

    kind: type[Objective]
    """The objective whose they are, by their columns."""
    ids: list[str]
    group: pa.DictionaryArray
    """Group of each example."""
    columns: Columns

    @classmethod
    def of(cls, table: pa.Table) -> Predictions:
        """From a table with all columns of some objective."""
        kind = objectives.of_columns(table.column_names)
        groups = table["group"].combine_chunks().dictionary_encode()
        return cls(kind, table["id"].to_pylist(), groups, kind.read(table))

    @classmethod
    def of_frame(cls, frame: pd.DataFrame) -> Predictions:
        """From the table that training made."""
        import pyarrow as pa

        return cls.of(pa.Table.from_pandas(frame, preserve_index=False))

    @property
    def digest(self) -> str:
        """sha256 over ids, truth and answers; independent of the file's format."""
        return self.kind.digest(self.ids, self.columns)

    @property
    def test_set(self) -> str:
        """Digest of ids and truth in any order: equal digests, equal test sets."""
        pairs = zip(self.ids, self.kind.truth(self.columns), strict=True)
        lines = sorted(f"{i}\t{truth}" for i, truth in pairs)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def absent(names: list[str]) -> list[str]:
    """Columns that a table with these `names` lacks to be one of predictions."""
    needed = ("id", "group", *objectives.of_columns(names).columns)
    return [name for name in needed if name not in names]


def read(path: Path) -> Predictions:
    """The predictions in a file.

    Raises:
        FileNotFoundError: there is none.
        ValueError: the file is damaged, or holds no predictions.
    """
    import pyarrow.parquet as pq

    missing = absent(pq.read_schema(path).names)
    if missing:
        raise ValueError(f"no column {', '.join(missing)}")
    return Predictions.of(pq.read_table(path, page_checksum_verification=True))
