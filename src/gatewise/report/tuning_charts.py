"""Tuning as Vega-Lite: trials against what was tried, and the best of n of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gatewise.config.tuning import Choices, Range, show
from gatewise.report.charts import INK, Spec, colour, finish, over

SHAPES = {"tried": "circle", "declared": "diamond", "chosen": "square", "diverged": "cross"}
HEIGHT = 220

Row = Mapping[str, Any]


def against_setting(
    rows: Sequence[Row],
    values: Range | Choices,
    variants: Sequence[str],
    x: str,
    y: str,
    *,
    joined: bool,
    higher_is_better: bool,
) -> Spec:
    """Scores of trials against the values of one setting; what diverged lies at the worse end.

    Args:
        rows: trials with `variant`, `value`, `trial`, `is` (a key of `SHAPES`) and `score`, which
            those that diverged lack.
        values: what the setting could be; a logarithmic range gets such an axis.
        variants: in the order of their colours.
        x: title of the axis.
        y: title of the axis.
        joined: whether a variant's trials are points of one curve.
        higher_is_better: of scores.
    """
    import altair as alt

    listed = not isinstance(values, Range)
    if listed:
        rows = [{**row, "value": show(row["value"])} for row in rows]
    place = _places(rows, values, variants, x)
    kinds = [kind for kind in SHAPES if any(row["is"] == kind for row in rows)]
    shape = alt.Shape(
        "is:N",
        scale=alt.Scale(domain=kinds, range=[SHAPES[kind] for kind in kinds]),
        legend=alt.Legend(orient="bottom", title=None, symbolFillColor=INK, symbolStrokeColor=INK),
    )
    size = alt.condition("datum.is === 'tried'", alt.value(45), alt.value(120))
    tip = ["variant:N", "trial:Q", f"value:{'N' if listed else 'Q'}", "is:N"]
    ended = [row for row in rows if "score" in row]
    base = over(ended).encode(
        **place,
        y=alt.Y("score:Q", title=y, scale=alt.Scale(zero=False)),
        color=colour(list(variants)),
    )
    layers = [base.mark_line(opacity=0.3)] if joined and not listed else []
    score = alt.Tooltip("score:Q", format=".4g")
    layers.append(
        base.mark_point(filled=True, opacity=0.85).encode(
            shape=shape, size=size, tooltip=[*tip, score]
        )
    )
    if len(ended) < len(rows):
        lost = over([row for row in rows if "score" not in row])
        layers.append(
            lost.mark_point(filled=True, size=45).encode(
                **place,
                y=alt.value(HEIGHT - 6 if higher_is_better else 6),
                color=colour(list(variants)),
                shape=shape,
                tooltip=tip,
            )
        )
    return finish(alt.layer(*layers), height=HEIGHT)


def with_band(rows: Sequence[Row], variants: Sequence[str], x: str, y: str) -> Spec:
    """A line a variant over rows with `variant`, `trials`, `score`, `low` and `high`."""
    import altair as alt

    scale = alt.Scale(zero=False, nice=False)
    base = over(rows).encode(
        x=alt.X("trials:Q", title=x, scale=scale, axis=alt.Axis(tickMinStep=1)),
        color=colour(list(variants)),
    )
    score = alt.Y("score:Q", title=y, scale=alt.Scale(zero=False))
    tip = ["variant:N", "trials:Q", alt.Tooltip("score:Q", format=".4g")]
    band = base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", title=y), y2="high:Q")
    points = base.mark_point(size=20, filled=True).encode(y=score, tooltip=tip)
    return finish(alt.layer(band, base.mark_line().encode(y=score), points), height=HEIGHT)


def _places(
    rows: Sequence[Row], values: Range | Choices, variants: Sequence[str], title: str
) -> dict[str, Any]:
    """Where a value lies; variants side by side where values are listed."""
    import altair as alt

    if not isinstance(values, Range):
        listed = dict.fromkeys([*map(show, values), *(row["value"] for row in rows)])
        scale = alt.Scale(domain=list(listed))
        x = alt.X("value:N", title=title, scale=scale, axis=alt.Axis(labelAngle=0))
        return {"x": x, "xOffset": alt.XOffset("variant:N", scale=alt.Scale(domain=variants))}
    if values.scale == "log" and all(row["value"] > 0 for row in rows):
        scale = alt.Scale(type="log", nice=False, padding=12)  # no zero to leave out
    else:
        scale = alt.Scale(zero=False, nice=False, padding=12)
    axis = alt.Axis(tickCount=6, format="~g")
    return {"x": alt.X("value:Q", title=title, scale=scale, axis=axis)}
