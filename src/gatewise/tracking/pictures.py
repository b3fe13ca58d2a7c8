"""Small SVG pictures for MLflow's pages, written directly: a thousand runs need them in seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

# Okabe and Ito's palette, which colour-blind readers can tell apart.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#333}.t{font-weight:600;font-size:12px}"
    ".g{stroke:#ddd;stroke-width:1}.l{fill:none;stroke-width:1.8}"
)
WIDTH, HEIGHT = 320, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 26, 30


def curves(panels: Mapping[str, Mapping[str, Sequence[tuple[int, float]]]]) -> str:
    """Line charts side by side.

    Args:
        panels: for each panel's title its lines, each a name and `(epoch, value)` points.
    """
    parts = []
    for column, (title, lines) in enumerate(panels.items()):
        parts.append(f'<g transform="translate({column * WIDTH},0)">{_panel(title, lines)}</g>')
    return _svg(WIDTH * len(panels), HEIGHT, parts)


def confusion(counts: Sequence[Sequence[int]], names: Sequence[str]) -> str:
    """Confusion matrix; rows are the true classes, shades the share of each row."""
    cell = 34 if len(names) <= 12 else 20
    left = 24 + 7 * max((len(name) for name in names), default=1)
    size = cell * len(names)
    parts = [f'<text class="t" x="{left}" y="16">true class (rows), predicted (columns)</text>']
    for i, row in enumerate(counts):
        total = sum(row) or 1
        y = TOP + i * cell
        parts.append(_text(left - 6, y + cell / 2 + 4, names[i], "end"))
        for j, count in enumerate(row):
            share = count / total
            x = left + j * cell
            parts.append(
                f'<rect x="{x}" y="{y}" width="{cell}" height="{cell}" fill="{_shade(share)}">'
                f"<title>{escape(names[i])} as {escape(names[j])}: {count}</title></rect>"
            )
            if count and cell > 20:
                ink = "#fff" if share > 0.5 else "#333"
                parts.append(_text(x + cell / 2, y + cell / 2 + 4, str(count), "middle", ink))
    for j, name in enumerate(names):
        place = f"translate({left + j * cell + cell / 2 - 4},{TOP + size + 6}) rotate(90)"
        parts.append(f'<text transform="{place}">{escape(str(name))}</text>')
    return _svg(left + size + 12, TOP + size + left, parts)


def scores(
    title: str,
    variants: Mapping[str, tuple[Sequence[float], float, tuple[float, float] | None]],
) -> str:
    """Every seed's score as a dot, the mean as a bar and its interval, a line per variant.

    Args:
        title: what is scored.
        variants: values over seeds, their mean, and the interval of the mean.
    """
    values = [value for found, _mean, _ci in variants.values() for value in found]
    values += [bound for _found, _mean, ci in variants.values() for bound in ci or ()]
    low, high = _range(values)
    left, width, line = 24 + 7 * max(map(len, variants), default=1), 420, 34

    def x(value: float) -> float:
        return left + (value - low) / (high - low) * width

    parts = [f'<text class="t" x="{left}" y="16">{escape(title)}</text>']
    bottom = TOP + line * len(variants)
    for tick in _ticks(low, high):
        parts.append(
            f'<line class="g" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP}" y2="{bottom}"/>'
        )
        parts.append(_text(x(tick), bottom + 14, f"{tick:g}", "middle"))
    for i, (name, (found, mean, ci)) in enumerate(variants.items()):
        y = TOP + line * i + line / 2
        colour = COLOURS[i % len(COLOURS)]
        parts.append(_text(left - 6, y + 4, name, "end"))
        if ci:
            parts.append(
                f'<line x1="{x(ci[0]):.1f}" x2="{x(ci[1]):.1f}" y1="{y}" y2="{y}" '
                f'stroke="{colour}" stroke-width="7" opacity=".35"/>'
            )
        parts += [
            f'<circle cx="{x(value):.1f}" cy="{y}" r="3" fill="{colour}" opacity=".7"/>'
            for value in found
        ]
        parts.append(
            f'<line x1="{x(mean):.1f}" x2="{x(mean):.1f}" y1="{y - 9}" y2="{y + 9}" '
            f'stroke="{colour}" stroke-width="2"/>'
        )
    return _svg(left + width + 24, bottom + 24, parts)


# --- inner ---------------------------------------------------------------------------------


def _panel(title: str, lines: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    points = [(x, y) for line in lines.values() for x, y in line if math.isfinite(y)]
    if not points:
        return f'<text class="t" x="{LEFT}" y="16">{escape(title)}: no finite value</text>'
    low, high = _range([y for _x, y in points])
    first, last = min(x for x, _y in points), max(x for x, _y in points)

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - first) / ((last - first) or 1)
        up = (y - low) / (high - low)
        return (
            LEFT + across * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM),
        )

    parts = [f'<text class="t" x="{LEFT}" y="16">{escape(title)}</text>']
    for tick in _ticks(low, high):
        _, y = place(first, tick)
        parts.append(
            f'<line class="g" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        parts.append(_text(LEFT - 5, y + 4, f"{tick:g}", "end"))
    for epoch in (first, last):
        parts.append(_text(place(epoch, low)[0], HEIGHT - BOTTOM + 15, str(epoch), "middle"))
    for i, (name, line) in enumerate(lines.items()):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in line if math.isfinite(y))
        parts.append(f'<polyline class="l" stroke="{colour}" points="{path}"/>')
        parts.append(_text(WIDTH - RIGHT - 4, TOP + 10 + 14 * i, name, "end", colour))
    return "".join(parts)


def _range(values: Sequence[float]) -> tuple[float, float]:
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    margin = (high - low) * 0.06 or abs(high) * 0.05 or 0.5
    return low - margin, high + margin


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough)
    start = math.ceil(low / step)
    return [round(i * step, 10) for i in range(start, math.floor(high / step) + 1)]


def _shade(share: float) -> str:
    """White to blue."""
    red, green, blue = (round(255 + share * (full - 255)) for full in (0, 114, 178))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _text(x: float, y: float, text: str, anchor: str, fill: str | None = None) -> str:
    ink = f' style="fill:{fill}"' if fill else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{ink}>{escape(str(text))}</text>'


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}"><style>{_STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )
