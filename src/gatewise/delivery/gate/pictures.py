"""The gate's differences and their bounds: Mermaid for comments, characters for terminals.

GitHub and GitLab draw Mermaid themselves, so a picture in a comment needs no file that would
have to be published somewhere first. Its XY charts know bars and lines, no error bars: bounds
are lines of their own (https://mermaid.js.org/syntax/xyChart.html).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gatewise.config import GateConfig
from gatewise.config.metrics import Metric, Unit
from gatewise.delivery.gate import slices
from gatewise.delivery.gate.assessment import Result, TaskResult
from gatewise.delivery.gate.interval import Difference

WIDTH = 41
"""Characters of an interval's plot."""
MOST_SLICES = 8
BLUE, GREY, RED = "#0969da", "#8c959f", "#cf222e"


@dataclass(frozen=True)
class Row:
    """One interval, in the unit that is shown."""

    name: str
    unit: Unit
    low: float
    value: float
    high: float
    margin: float
    """Where a fall begins to count: below zero where higher is better, else above."""

    @classmethod
    def of(
        cls, name: str, difference: Difference, metric: Metric, margin: float, alpha: float
    ) -> Row:
        """The row of a difference in a metric."""
        low, high = difference.bounds(alpha)
        scale = metric.unit.scale
        return cls(
            name,
            metric.unit,
            scale * low,
            scale * difference.value,
            scale * high,
            scale * metric.gain(-margin),
        )


def mermaid(result: Result, settings: GateConfig) -> list[str]:
    """Charts of each task: the whole test set, then the slices that did worst.

    One chart for each unit: what is measured in nats and what in points share no axis.
    """
    lines = []
    for task, part in result.tasks.items():
        rows = _rows(part, settings)
        for unit in dict.fromkeys(row.unit for row in rows):
            chosen = [row for row in rows if row.unit == unit]
            if len(chosen) > 1:  # a line through one point is not seen
                title = f"{task}: difference to {result.against} in {unit.difference}"
                lines += _chart(title, chosen)
            else:
                lines += _plot([(f"{task}/{row.name}", row) for row in chosen])
    return lines


def _chart(title: str, rows: Sequence[Row]) -> list[str]:
    names = ", ".join(f'"{_plain(row.name)}"' for row in rows)
    bottom = min(min(row.low, row.margin) for row in rows)
    top = max(0.0, *(max(row.high, row.margin) for row in rows))
    room = 0.05 * (top - bottom)
    digits = rows[0].unit.digits + 1
    drawn = (
        [row.low for row in rows],
        [row.high for row in rows],
        [row.margin for row in rows],
        [row.value for row in rows],
    )
    return [
        "```mermaid",
        "---",
        "config:",
        "  xyChart:",
        "    width: 900",
        f"    height: {120 + 34 * len(rows)}",
        "  themeVariables:",
        "    xyChart:",
        f'      plotColorPalette: "{GREY}, {GREY}, {RED}, {BLUE}"',
        "---",
        "xychart-beta horizontal",
        f'    title "{_plain(title)}"',
        f"    x-axis [{names}]",
        f"    y-axis {bottom - room:.{digits}f} --> {top + room:.{digits}f}",
        *(f"    line [{', '.join(f'{n:.{digits}f}' for n in line)}]" for line in drawn),
        "```",
        "",
        "Blue: the difference; grey: its bounds; red: the margin, beyond which a fall counts.",
        "",
    ]


def _whole(result: TaskResult, settings: GateConfig) -> list[Row]:
    """The whole test set, a row for each variant that must pass."""
    return [
        Row.of(
            f"{check.variant}: all",
            check.overall,
            check.metric,
            settings.margin,
            settings.alpha,
        )
        for check in result.main
        if check.overall is not None
    ]


def _rows(result: TaskResult, settings: GateConfig) -> list[Row]:
    """The whole test set, then the slices that did worst."""
    parts = [
        (check.slice_gain(name).value, f"{check.variant}: {name}", part)
        for check in result.main
        for name, part in check.slices.items()
    ]
    parts.sort(key=lambda part: part[0])
    return _whole(result, settings) + [
        Row.of(name, part, slices.scored_by(result.metric), settings.slices.margin, settings.alpha)
        for _, name, part in parts[:MOST_SLICES]
    ]


def _plain(name: str) -> str:
    """Names come from data; quotes and the like would end Mermaid's strings."""
    return re.sub(r"[^\w .,:;()/+-]", "_", name)[:60]


def characters(result: Result, settings: GateConfig) -> list[str]:
    """Intervals of the whole test set, a line each; one plot for each unit."""
    rows = [
        (f"{task}/{row.name}", row)
        for task, part in result.tasks.items()
        for row in _whole(part, settings)
    ]
    lines = []
    for unit in dict.fromkeys(row.unit for _, row in rows):
        lines += _plot([(name, row) for name, row in rows if row.unit == unit])
    return lines


def _plot(rows: Sequence[tuple[str, Row]]) -> list[str]:
    """Intervals of one unit, each with its name, around a common zero."""
    reach = max(max(2 * abs(row.margin), abs(row.low), abs(row.high)) for _, row in rows)
    width = max(len(name) for name, _ in rows)

    def place(value: float) -> int:
        return round((value / reach + 1) / 2 * (WIDTH - 1))

    lines = []
    for name, row in rows:
        cells = [" "] * WIDTH
        for at in range(place(row.low), place(row.high) + 1):
            cells[at] = "─"
        cells[place(row.margin)] = "┆"
        cells[place(0.0)] = "│"
        cells[place(row.value)] = "●"
        lines.append(f"{name:>{width}} {''.join(cells)}")
    unit, half = rows[0][1].unit, WIDTH // 2
    scale = f"{'':>{width}} {-reach:<+{half}.{unit.digits}f}0{reach:>+{half}.{unit.digits}f}"
    note = f"{'':>{width}} {unit.difference}; ┆ is the margin, │ no difference"
    return ["```text", *lines, scale, note, "```", ""]
