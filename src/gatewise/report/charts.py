"""The report's pictures as Vega-Lite, made with Altair.

Text, axes and rules are drawn in `currentColor`, so that one SVG serves light, dark and
print; series colours are of middle lightness and legible on all three. Charts take the width
of their container, down to a phone's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gatewise.artifacts.comparison import Ranking, TaskComparison
from gatewise.artifacts.document import Interval
from gatewise.config.metrics import Metric

if TYPE_CHECKING:
    import pandas as pd

PALETTE = ("#3b82c4", "#d9772b", "#2f9e77", "#c2559d", "#8a7fd1", "#b08d1e", "#d1495b", "#5d8f9e")
INK = "currentColor"
Spec = dict[str, Any]


@contextmanager
def unchecked() -> Iterator[None]:
    """Leave out Altair's check of every piece against its schema, nine tenths of the time.

    What the charts are made of does not depend on the data; the tests run with the check.
    """
    from altair.utils import schemapi

    with schemapi.debug_mode(False):
        yield


def forest(task: TaskComparison, primary: bool) -> Spec | None:
    """Differences with intervals and the region of practical equivalence.

    Primary and secondary pairs have a picture each: those against a weak variant are often
    ten times as wide, and would squeeze what the study is about.

    The thick line is the interval over seeds, the thin one over seeds and test groups.
    """
    import altair as alt

    metric = task.metric.definition
    rows = [
        {
            "pair": f"{pair.a} − {pair.b}",  # noqa: RUF001
            "difference": metric.scaled(pair.difference),
            **_bounds(metric, pair.ci, "low", "high"),
            **_bounds(
                metric,
                pair.test_noise.ci if pair.test_noise else None,
                "widest low",
                "widest high",
            ),
            "verdict": pair.verdict,
        }
        for pair in task.pairs
        if pair.difference is not None and pair.primary == primary
    ]
    if not rows:
        return None
    rope = metric.scaled(task.metric.rope)
    base = over(rows).encode(
        y=alt.Y("pair:N", sort=None, title=None, axis=alt.Axis(labelLimit=200)),
        tooltip=[
            alt.Tooltip(f"{name}:{kind}", format=_digits(metric) if kind == "Q" else "")
            for name, kind in (
                ("pair", "N"),
                ("difference", "Q"),
                ("low", "Q"),
                ("high", "Q"),
                ("verdict", "N"),
            )
        ],
    )
    title = f"test {metric.difference_axis}"
    x = alt.X("difference:Q", title=title, scale=alt.Scale(zero=True))
    band = (
        over([{"low": -rope, "high": rope}])
        .mark_rect(color=PALETTE[2], opacity=0.2)
        .encode(x=alt.X("low:Q", title=title), x2="high:Q")
    )
    zero = over([{"x": 0}]).mark_rule(color=INK, strokeDash=[3, 3])
    chart = alt.layer(
        band,
        zero.encode(x="x:Q"),
        base.mark_rule(color=INK, strokeWidth=1).encode(x="widest low:Q", x2="widest high:Q"),
        base.mark_rule(color=PALETTE[0], strokeWidth=4).encode(x="low:Q", x2="high:Q"),
        base.mark_point(color=PALETTE[1], filled=True, size=90, opacity=1).encode(x=x),
    )
    return finish(chart, height=24 * len(rows) + 10)


def pareto(task: TaskComparison, cost: str, title: str) -> Spec | None:
    """Score against one cost; the line joins the variants that none beats at both.

    Args:
        task: whose variants are shown.
        cost: a field of its variants.
        title: of the axis of costs.
    """
    import altair as alt

    metric = task.metric.definition
    rows = [
        {
            "variant": variant,
            "cost": getattr(summary, cost),
            "score": metric.scaled(summary.mean),
            **_bounds(metric, summary.ci, "low", "high"),
        }
        for variant, summary in task.variants.items()
        if getattr(summary, cost) is not None
    ]
    if not rows:
        return None
    best = front([(row["cost"], row["score"]) for row in rows], metric)
    order = list(task.variants)
    x = alt.X("cost:Q", title=title, scale=alt.Scale(zero=False, nice=True, padding=20))
    y = alt.Y("score:Q", title=f"test {metric.axis}", scale=alt.Scale(zero=False))
    line = (
        over([{"cost": c, "score": s} for c, s in best])
        .mark_line(color=INK, opacity=0.35, interpolate="step-after")
        .encode(x=x, y=y)
    )
    base = over(rows).encode(x=x, color=colour(order))
    tip = ["variant:N", "cost:Q", alt.Tooltip("score:Q", format=_digits(metric))]
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(y=y, tooltip=tip)
    return finish(
        alt.layer(line, base.mark_rule().encode(y="low:Q", y2="high:Q"), dots), height=200
    )


def front(points: Sequence[tuple[float, float]], metric: Metric) -> list[tuple[float, float]]:
    """Points (cost, score) that no other beats at both, by rising cost."""
    kept: list[tuple[float, float]] = []
    for cost, score in sorted(points, key=lambda point: (point[0], -metric.gain(point[1]))):
        if not kept or metric.gain(score) > metric.gain(kept[-1][1]):
            kept.append((cost, score))
    return kept


def curves(
    table: pd.DataFrame, variants: Sequence[str], column: str, title: str, scale: float = 1.0
) -> Spec | None:
    """A learning curve by variant: mean over seeds and the range that they span.

    Args:
        table: rows of one task of `plots.curves`.
        variants: in the order of their colours.
        column: which curve.
        title: of the axis.
        scale: factor from the curve's values to those shown.
    """
    import altair as alt

    if table.empty or not {column, f"{column}_low", f"{column}_high"} <= set(table):
        return None
    wanted = table[["variant", "epoch"]].copy()
    for name, source in (("mean", column), ("low", f"{column}_low"), ("high", f"{column}_high")):
        wanted[name] = (table[source] * scale).round(4)
    base = over(wanted.to_dict("records")).encode(
        x=alt.X("epoch:Q", axis=alt.Axis(tickMinStep=1)), color=colour(list(variants))
    )
    y = alt.Y("mean:Q", title=title, scale=alt.Scale(zero=False))
    tip = ["variant:N", "epoch:Q", alt.Tooltip("mean:Q", format=".4g")]
    return finish(
        alt.layer(
            base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", title=title), y2="high:Q"),
            base.mark_line(strokeWidth=2).encode(y=y),
            base.mark_point(size=10, filled=True).encode(y=y, tooltip=tip),
        ),
        height=220,
    )


def fan(table: pd.DataFrame, variants: Sequence[str]) -> Spec:
    """Forecasts of one example by several variants, with what came.

    Args:
        table: `variant, step, actual, forecast, lower, upper`.
        variants: in the order of their colours.
    """
    import altair as alt

    drawn = ["variant", "step", "actual", "forecast", "lower", "upper"]
    rows = table[drawn].to_dict("records")
    base = over(rows).encode(
        x=alt.X("step:Q", axis=alt.Axis(tickMinStep=1)), color=colour(list(variants))
    )
    y = alt.Y("forecast:Q", title="value", scale=alt.Scale(zero=False))
    values = (alt.Tooltip(f"{name}:Q", format=".4g") for name in ("forecast", "actual"))
    tip = ["variant:N", "step:Q", *values]
    came = over(rows).mark_line(strokeDash=[4, 3], strokeWidth=2, color=INK)
    return finish(
        alt.layer(
            base.mark_area(opacity=0.15).encode(y=alt.Y("lower:Q", title="value"), y2="upper:Q"),
            base.mark_line(strokeWidth=2).encode(y=y, tooltip=tip),
            came.encode(x="step:Q", y="actual:Q"),
        ),
        height=200,
    )


def confusion(table: pd.DataFrame) -> Spec | None:
    """Confusion of one variant over all seeds; rows add up to one."""
    import altair as alt

    if table.empty:
        return None
    rows = table[["actual", "predicted", "count", "share"]].to_dict("records")
    size = table["actual"].nunique()
    order = list(dict.fromkeys(table["actual"]))
    chart = (
        over(rows)
        .mark_rect(stroke=None)
        .encode(
            x=alt.X("predicted:N", sort=order, axis=alt.Axis(labelAngle=-90, labelLimit=80)),
            y=alt.Y("actual:N", sort=order, axis=alt.Axis(labelLimit=80)),
            color=alt.value(PALETTE[0]),
            opacity=alt.Opacity(
                "share:Q", scale=alt.Scale(domain=[0, 1], range=[0.02, 1]), legend=None
            ),
            tooltip=[
                "actual:N",
                "predicted:N",
                "count:Q",
                alt.Tooltip("share:Q", format=".1%"),
            ],
        )
    )
    return finish(chart, height=max(90, min(280, 26 * size)))


def ranks(across: Ranking) -> Spec | None:
    """Average ranks over tasks with the critical difference (Demsar 2006)."""
    import altair as alt

    if across.critical_difference is None:
        return None
    half = across.critical_difference / 2
    rows = [
        {"variant": v, "rank": r, "low": r - half, "high": r + half}
        for v, r in sorted(across.average_ranks.items(), key=lambda item: item[1])
    ]
    base = over(rows).encode(y=alt.Y("variant:N", sort=None, title=None))
    title = "average rank (1 is best); bars that overlap are not distinguished"
    return finish(
        alt.layer(
            base.mark_rule(color=PALETTE[0], strokeWidth=4).encode(
                x=alt.X("low:Q", title=title, scale=alt.Scale(zero=False)), x2="high:Q"
            ),
            base.mark_point(color=PALETTE[1], filled=True, size=90, opacity=1).encode(x="rank:Q"),
        ),
        height=26 * len(rows),
    )


@dataclass(frozen=True)
class Zone:
    """A range of y that means something."""

    low: float
    high: float
    label: str


def lines(
    rows: Iterable[Mapping[str, Any]],
    variants: Sequence[str],
    x: tuple[str, str],
    y: tuple[str, str],
    *,
    log: bool = False,
    steps: bool = False,
    zones: Sequence[Zone] = (),
) -> Spec | None:
    """One line a variant over `rows` with the fields `variant`, x and y (name, title).

    Args:
        rows: points; those with `low` and `high` get a band.
        variants: in the order of their colours.
        x: field and title.
        y: field and title.
        log: y is a logarithm, so that its axis need not begin at zero.
        steps: y stays as it is until the next point.
        zones: shaded and named, behind the lines.
    """
    import altair as alt

    values = list(rows)
    if not values:
        return None
    of_x = alt.X(f"{x[0]}:Q", title=x[1])
    of_y = alt.Y(f"{y[0]}:Q", title=y[1], scale=alt.Scale(zero=not log))
    base = over(values).encode(x=of_x, y=of_y, color=colour(list(variants)))
    tip = ["variant:N", f"{x[0]}:Q", alt.Tooltip(f"{y[0]}:Q", format=".4g")]
    layers = [*_zones(zones)]
    if any("low" in row for row in values):
        band = base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", title=y[1]), y2="high:Q")
        layers.append(band)
    layers.append(base.mark_line(interpolate="step-after" if steps else "linear"))
    layers.append(base.mark_point(size=14, filled=True).encode(tooltip=tip))
    return finish(alt.layer(*layers), 220)


def _zones(zones: Sequence[Zone]) -> Iterator[Any]:
    import altair as alt

    rows = [
        {"from": z.low, "to": z.high, "middle": (z.low + z.high) / 2, "label": z.label}
        for z in zones
    ]
    if rows:
        yield (
            over(rows)
            .mark_rect(color=INK, opacity=0.07, stroke=INK, strokeOpacity=0.3)
            .encode(y="from:Q", y2="to:Q")
        )
        yield (
            over(rows)
            .mark_text(color=INK, align="right", dx=-6, fontSize=11)
            .encode(y="middle:Q", x=alt.value("width"), text="label:N")
        )


def over(rows: Sequence[Mapping[Any, Any]]) -> Any:
    """A chart of rows, each a mapping of fields."""
    import altair as alt

    return alt.Chart(alt.Data(values=list(rows)))  # type: ignore[no-untyped-call]


def colour(variants: list[str]) -> Any:
    """Each variant in the colour that it has in every chart."""
    import altair as alt

    colours = [PALETTE[i % len(PALETTE)] for i in range(len(variants))]
    return alt.Color(
        "variant:N",
        scale=alt.Scale(domain=variants, range=colours),
        legend=alt.Legend(orient="top", title=None, columns=4, labelLimit=140),
    )


def finish(chart: Any, height: int) -> Spec:
    """Width from the container, one face for all themes."""
    spec: Spec = (
        chart.properties(width="container", height=height)
        .configure(background="transparent", autosize={"type": "fit-x", "contains": "padding"})
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK,
            titleColor=INK,
            domainColor=INK,
            tickColor=INK,
            gridColor=INK,
            gridOpacity=0.12,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
        )
        .configure_legend(labelColor=INK, labelFontSize=12, symbolOpacity=1)
        .to_dict(validate=False)
    )
    return spec


def _bounds(metric: Metric, interval: Interval | None, low: str, high: str) -> dict[str, Any]:
    """Both ends of an interval in the unit of the axis, under these names."""
    ends = (None, None) if interval is None else tuple(map(metric.scaled, interval))
    return dict(zip((low, high), ends, strict=True))


def _digits(metric: Metric) -> str:
    """How Vega prints a scaled difference."""
    return f".{metric.unit.digits + 1}f"
