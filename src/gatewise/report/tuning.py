"""The page's pictures of tuning: score against each setting, and against the budget."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gatewise.artifacts.comparison import TaskComparison
from gatewise.artifacts.tuned import Trial
from gatewise.artifacts.tuning_summary import TaskTuning, VariantTuning
from gatewise.config.metrics import Metric
from gatewise.config.tuning import Range, show
from gatewise.report.charts import INK, Spec, _colour, _finish, _over
from gatewise.report.figure import Figure
from gatewise.report.tuning_words import settings

SHAPES = {"tried": "circle", "declared": "diamond", "chosen": "square"}

BUDGET = (
    "Best validation score to expect of so many trials, the declared settings first; "
    "shaded, the tenth to the ninetieth percentile over which points they are."
)
BUDGET_AS_FOUND = (
    "Best validation score so far, the declared settings first: points that follow from earlier "
    "ones could not have come otherwise."
)


def figures(name: str, task: TaskComparison) -> Iterator[Figure]:
    """A task's pictures of its tuning; none where nothing was tuned."""
    if task.tuning is None:
        return
    metric = task.metric.definition
    for setting in task.tuning.space:
        rows = trials(task.tuning, setting, metric)
        if rows:
            caption = f"Validation score against {setting}: every trial that came to an end"
            chosen = "; ".join(f"{v}: {settings(c)}" for v, c in task.tuning.chosen.items())
            spec = _scatter(rows, setting, task.tuning, metric)
            yield Figure(f"{name}--tuning-{setting}", "tuning", caption, f"chosen {chosen}", spec)
    yield from _budget(name, task.tuning, metric)


def trials(tuning: TaskTuning, setting: str, metric: Metric) -> list[dict[str, Any]]:
    """A row for each trial that came to an end and has this setting."""
    return [
        {
            "variant": variant,
            "value": trial.settings[setting],
            "score": _short(metric.scaled(trial.mean)),
            "trial": trial.number,
            "is": _kind(trial, one),
        }
        for variant, one in tuning.variants.items()
        for trial in one.trials
        if trial.status == "complete" and trial.mean is not None and setting in trial.settings
    ]


def _kind(trial: Trial, tuned: VariantTuning) -> str:
    if trial.settings == tuned.chosen or trial.settings in tuned.chosen_by_seed.values():
        return "chosen"
    return "declared" if trial.number == 0 else "tried"


def _short(value: float) -> float:
    """As exact as a picture can show, so that the page stays light."""
    return float(f"{value:.5g}")


def _scatter(rows: list[dict[str, Any]], setting: str, tuning: TaskTuning, metric: Metric) -> Spec:
    import altair as alt

    values, variants = tuning.space[setting], list(tuning.variants)
    y = alt.Y("score:Q", title=f"validation {metric.axis}", scale=alt.Scale(zero=False))
    score = alt.Tooltip("score:Q", format=".4g")
    if isinstance(values, Range):
        log = values.scale == "log" and all(row["value"] > 0 for row in rows)
        if log:  # which has no zero to leave out: Vega would say so
            scale = alt.Scale(type="log", nice=False, padding=12)
        else:
            scale = alt.Scale(zero=False, nice=False, padding=12)
        x = alt.X("value:Q", title=setting, scale=scale, axis=alt.Axis(tickCount=6, format="~g"))
        base = _over(rows).encode(x=x, y=y, color=_colour(variants))
        tip = ["variant:N", "trial:Q", "value:Q", score, "is:N"]
    else:
        listed = dict.fromkeys(show(each) for each in (*values, *(row["value"] for row in rows)))
        rows = [{**row, "value": show(row["value"])} for row in rows]
        domain = alt.Scale(domain=list(listed))
        x = alt.X("value:N", title=setting, scale=domain, axis=alt.Axis(labelAngle=0))
        aside = alt.XOffset("variant:N", scale=alt.Scale(domain=variants))
        base = _over(rows).encode(x=x, xOffset=aside, y=y, color=_colour(variants))
        tip = ["variant:N", "trial:Q", "value:N", score, "is:N"]
    shape = alt.Shape(
        "is:N",
        scale=alt.Scale(domain=list(SHAPES), range=list(SHAPES.values())),
        legend=alt.Legend(orient="bottom", title=None, symbolFillColor=INK, symbolStrokeColor=INK),
    )
    size = alt.condition("datum.is === 'tried'", alt.value(45), alt.value(120))
    points = base.mark_point(filled=True, opacity=0.85).encode(shape=shape, size=size, tooltip=tip)
    # With a second setting, neighbours on this axis may be far apart on the other.
    alone = isinstance(values, Range) and len(tuning.space) == 1
    layers = [base.mark_line(opacity=0.3)] if alone else []
    return _finish(alt.layer(*layers, points), height=220)


def _budget(name: str, tuning: TaskTuning, metric: Metric) -> Iterator[Figure]:
    rows = [
        {
            "variant": variant,
            "trials": point.trials,
            "score": _short(metric.scaled(point.expected)),
            "low": _short(metric.scaled(point.low)),
            "high": _short(metric.scaled(point.high)),
        }
        for variant, one in tuning.variants.items()
        for point in one.budget
    ]
    if rows:
        spec = _bands(rows, list(tuning.variants), f"best validation {metric.axis}")
        caption = BUDGET_AS_FOUND if tuning.method == "tpe" else BUDGET
        alternative = "; ".join(
            f"{variant} from {metric.show(one.budget[0].expected)} "
            f"to {metric.show(one.budget[-1].expected)}"
            for variant, one in tuning.variants.items()
            if one.budget
        )
        yield Figure(f"{name}--tuning-budget", "tuning", caption, alternative, spec)


def _bands(rows: list[dict[str, Any]], variants: list[str], title: str) -> Spec:
    import altair as alt

    base = _over(rows).encode(
        x=alt.X(
            "trials:Q",
            title="trials",
            scale=alt.Scale(zero=False, nice=False),
            axis=alt.Axis(tickMinStep=1),
        ),
        color=_colour(variants),
    )
    y = alt.Y("score:Q", title=title, scale=alt.Scale(zero=False))
    tip = ["variant:N", "trials:Q", alt.Tooltip("score:Q", format=".4g")]
    band = base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", title=title), y2="high:Q")
    points = base.mark_point(size=20, filled=True).encode(y=y, tooltip=tip)
    return _finish(alt.layer(band, base.mark_line().encode(y=y), points), height=220)
