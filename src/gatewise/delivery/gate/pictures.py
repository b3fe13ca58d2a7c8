"""The gate's differences and their bounds: Mermaid for comments, characters for terminals.

GitHub and GitLab draw Mermaid themselves, so a picture in a comment needs no file that would
have to be published somewhere first. Its XY charts know bars and lines, no error bars: bounds
are lines of their own (https://mermaid.js.org/syntax/xyChart.html).
"""

from __future__ import annotations

import re

from gatewise.config import GateConfig
from gatewise.delivery.gate.assessment import Result, TaskResult
from gatewise.delivery.gate.interval import Difference

WIDTH = 41
"""Characters of an interval's plot."""
MOST_SLICES = 8
BLUE, GREY, RED = "#0969da", "#8c959f", "#cf222e"


def mermaid(result: Result, settings: GateConfig) -> list[str]:
    """A chart for each task: the whole test set, then the slices that did worst."""
    lines = []
    for task, found in result.tasks.items():
        rows = _rows(found, settings)
        if len(rows) < 2:  # a line through one point is not seen
            lines += characters(Result(result.against, result.verdict, {task: found}), settings)
            continue
        names = ", ".join(f'"{_plain(name)}"' for name, *_ in rows)
        low, value, high, limit = zip(*(figures for _, *figures in rows), strict=True)
        bottom, top = min(*low, *limit), max(*high, 0.0)
        room = 0.05 * (top - bottom)
        lines += [
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
            f'    title "{_plain(f"{task}: difference to {result.against} in points")}"',
            f"    x-axis [{names}]",
            f"    y-axis {bottom - room:.2f} --> {top + room:.2f}",
            *(
                f"    line [{', '.join(f'{n:.2f}' for n in row)}]"
                for row in (low, high, limit, value)
            ),
            "```",
            "",
            "Blue: the difference; grey: its bounds; red: the margin, beyond which a fall counts.",
            "",
        ]
    return lines


def _rows(found: TaskResult, settings: GateConfig) -> list[tuple[str, float, float, float, float]]:
    """Name, lower bound, difference, upper bound and margin, in points."""

    def row(name: str, part: Difference, margin: float) -> tuple[str, float, float, float, float]:
        low, high = part.bounds(settings.alpha)
        return (name, 100 * low, 100 * part.value, 100 * high, -100 * margin)

    rows = [
        row(f"{check.variant}: all", check.overall, settings.margin)
        for check in found.main
        if check.overall is not None
    ]
    parts = [
        (f"{check.variant}: {name}", part)
        for check in found.main
        for name, part in check.slices.items()
    ]
    parts.sort(key=lambda named: named[1].value)
    return rows + [row(name, part, settings.slices.margin) for name, part in parts[:MOST_SLICES]]


def _plain(name: str) -> str:
    """Names come from data; quotes and the like would end Mermaid's strings."""
    return re.sub(r"[^\w .,:;()/+-]", "_", name)[:60]


def characters(result: Result, settings: GateConfig) -> list[str]:
    """Intervals of the whole test set, a line each."""
    shown = [
        (f"{task}/{check.variant}", check.overall.value, *check.overall.bounds(settings.alpha))
        for task, found in result.tasks.items()
        for check in found.main
        if check.overall is not None
    ]
    if not shown:
        return []
    reach = max(2 * settings.margin, *(max(abs(low), abs(high)) for _, _, low, high in shown))
    width = max(len(name) for name, *_ in shown)

    def place(value: float) -> int:
        return round((value / reach + 1) / 2 * (WIDTH - 1))

    lines = []
    for name, value, low, high in shown:
        cells = [" "] * WIDTH
        for at in range(place(low), place(high) + 1):
            cells[at] = "─"
        cells[place(-settings.margin)] = "┆"
        cells[place(0.0)] = "│"
        cells[place(value)] = "●"
        lines.append(f"{name:>{width}} {''.join(cells)}")
    side = WIDTH // 2
    scale = f"{'':>{width}} {100 * -reach:<+{side}.1f}0{100 * reach:>+{side}.1f}"
    note = f"{'':>{width}} points; ┆ is the margin, │ no difference"
    return ["```text", *lines, scale, note, "```", ""]
