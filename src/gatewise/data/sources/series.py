"""Your own series: a table with a value in each row, or with a column for each series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np

from gatewise.artifacts.manifest import SourceCard
from gatewise.config import SourceOptions
from gatewise.data.sources import _series, _tables
from gatewise.data.sources._tables import Format
from gatewise.errors import GatewiseError


class Source(SourceOptions):
    """CSV, TSV, JSONL (each also `.gz`) or Parquet, long or wide.

    Long, a row is one value of one series: `id`, `time`, `value`. Wide, a row is one time and every
    other column a series. Steps that are missing become missing values, which preparation refuses
    or, with `on_bad: skip`, leaves out with their series.
    """

    objective: ClassVar[Mapping[str, Any]] = MappingProxyType({"kind": "forecast"})
    card: ClassVar[SourceCard] = SourceCard(
        payload="series", title="Series", licence="your own data"
    )
    size: ClassVar[str] = "whatever you have"
    needs: ClassVar[str] = "a table of values and times"

    kind: Literal["series"]
    path: str
    """The table."""
    layout: Literal["long", "wide"] = "long"
    """A value in each row, or a column for each series."""
    id: str = "id"
    """Column that names the series, where the table is long."""
    time: str = "time"
    """Column of the time: dates, or whole numbers that count steps."""
    value: str = "value"
    """Column of the value, where the table is long."""
    delimiter: str | None = None
    """Between the fields of a line; left out: a comma, in TSV a tab."""
    quoting: Literal["standard", "none"] | None = None
    """As for `text-file`."""
    encoding: str = "utf-8"
    title: str = "Series"
    """What the data are, for people."""
    licence: str = "your own data"

    def reads(self) -> list[Path]:
        """The table."""
        return [Path(self.path)]

    def look(self) -> None:
        """Refuse early what `fetch` would refuse of the first row.

        Raises:
            GatewiseError: as `fetch` does.
        """
        next(_tables.read(Path(self.path), self._columns(), Format.of(self)))

    def fetch(self, target: Path) -> None:
        """Write series in the order in which they are first named."""
        card = self.card.model_copy(update={"title": self.title, "licence": self.licence})
        _series.write(target, card, self.named())

    def named(self) -> Iterator[tuple[str, np.ndarray]]:
        """Every series by its name, in the order of its times.

        Raises:
            GatewiseError: the table cannot be read, a value is no number, or times are irregular.
        """
        found = self._wide() if self.layout == "wide" else self._long()
        for name, times, values in found:
            yield name, _series.regular(name, times, values)

    def _columns(self) -> dict[str, str]:
        """Names of columns by their role; of a wide table every other one is a series."""
        if self.layout == "long":
            return {"id": self.id, "time": self.time, "value": self.value}
        there = _tables.header(Path(self.path), Format.of(self))
        others = {f"value {name}": name for name in there if name != self.time}
        if not others:
            raise GatewiseError(f"{self.path}: no column beside {self.time!r}, so no series")
        return {"time": self.time, **others}

    def _long(self) -> Iterator[tuple[str, list[str], np.ndarray]]:
        found: dict[str, tuple[list[str], list[float]]] = {}
        for where, row in self._rows():
            for role in ("id", "time"):
                if not row[role].strip():
                    raise GatewiseError(f"{where}: column {self._columns()[role]!r} is empty")
            times, values = found.setdefault(row["id"], ([], []))
            times.append(row["time"])
            values.append(_series.value(row["value"], f"{where}, column {self.value!r}"))
        for name, (times, values) in found.items():
            yield name, times, np.array(values)

    def _wide(self) -> Iterator[tuple[str, list[str], np.ndarray]]:
        columns = {role: name for role, name in self._columns().items() if role != "time"}
        times: list[str] = []
        found: dict[str, list[float]] = {role: [] for role in columns}
        for where, row in self._rows():
            if not row["time"].strip():
                raise GatewiseError(f"{where}: column {self.time!r} is empty")
            times.append(row["time"])
            for role, name in columns.items():
                found[role].append(_series.value(row[role], f"{where}, column {name!r}"))
        for role, values in found.items():
            begins, ends = _within(np.array(values))
            yield columns[role], times[begins:ends], np.array(values[begins:ends])

    def _rows(self) -> Iterator[tuple[str, dict[str, str]]]:
        path = Path(self.path)
        rows = _tables.read(path, self._columns(), Format.of(self))
        return ((f"{path}, row {number}", row) for number, row in enumerate(rows, 1))


def _within(values: np.ndarray) -> tuple[int, int]:
    """From the first to behind the last value that is there: series of a table begin and end apart.

    All of it, where nothing is there.
    """
    present = np.flatnonzero(~np.isnan(values))
    return (int(present[0]), int(present[-1]) + 1) if len(present) else (0, len(values))
