"""What a benchmark finds, and how benchmarks hand it over."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Result:
    """One measured thing."""

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    """Quartiles over rounds."""
    what: str = ""
    """What `checked` is: a ratio to a reference measured in turns with it, or the value itself."""
    checked: float | None = None
    limit: float | None = None
    better: Literal["lower", "higher"] = "lower"
    """Which side of the limit `checked` must keep to."""

    @property
    def kept(self) -> bool | None:
        """Whether the limit is kept; `None` without one."""
        if self.limit is None or self.checked is None:
            return None
        return self.checked <= self.limit if self.better == "lower" else self.checked >= self.limit

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "kept": self.kept}


def measured(name: str, values: Sequence[float], unit: str, **more: Any) -> Result:
    """A result with the median and quartiles of `values`."""
    low, _, high = statistics.quantiles(values, n=4) if len(values) > 1 else [None] * 3
    return Result(name, statistics.median(values), unit, low, high, **more)


def ratios(own: Sequence[float], reference: Sequence[float]) -> float:
    """Median over rounds of the ratio within a round."""
    return statistics.median(a / b for a, b in zip(own, reference, strict=True))


def main(measure: Callable[[bool], list[Result]], document: str | None) -> None:
    """Command line of one benchmark: print its results, or write them as JSON for the suite."""
    parser = argparse.ArgumentParser(description=(document or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller sizes")
    parser.add_argument("--json", type=Path, help="write the results there")
    wish = parser.parse_args()
    results = measure(wish.quick)
    if wish.json:
        wish.json.write_text(json.dumps([result.plain() for result in results]))
    else:
        print(table([result.plain() for result in results]))


def cells(row: dict[str, Any]) -> list[str]:
    """A row of a table: what, median with quartiles and unit, what is checked, its limit."""
    spread = "" if row["low"] is None else f" ({_number(row['low'])} to {_number(row['high'])})"
    sign = "≤" if row["better"] == "lower" else "≥"
    return [
        row["name"],
        f"{_number(row['value'])}{spread} {row['unit']}",
        row["what"],
        "" if row["checked"] is None else _number(row["checked"]),
        "" if row["limit"] is None else f"{sign} {_number(row['limit'])}",
        {None: "", True: "yes", False: "**no**"}[row["kept"]],
    ]


def table(results: Sequence[dict[str, Any]], before: dict[str, float] | None = None) -> str:
    """Markdown; `before` holds the last measurement's values by name."""
    heading = ["what", "median (quartiles)", "checked", "", "limit", "kept", "to the last"]
    lines = [heading, ["---", "---:", "---", "---:", "---:", "---", "---:"]]
    for row in results:
        old = (before or {}).get(row["name"])
        lines.append([*cells(row), f"{row['value'] / old:.2f}" if old else ""])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _number(value: float) -> str:
    """Three digits, without an exponent where thousands will do."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.3g}"
