"""Where models look in their input for each symbol that they say, as heat maps.

The `context` stage asks two examples of each task whose models look; `compare` writes those of the
primary pair's variants to `reports/plots/attention.csv`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gatewise.artifacts.comparison import Comparison, TaskComparison
from gatewise.artifacts.context import Attended
from gatewise.evidence.task_evidence import TaskEvidence
from gatewise.report import charts
from gatewise.report.charts import Spec
from gatewise.report.figure import Figure

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("task", "example", "sort", "variant", "output", "said", "input", "read", "weight")
TEXTS = ("task", "example", "sort", "variant", "said", "read")
"""Columns that hold words."""
ROW = 18
"""Height of a symbol, pixels."""
NUMBERED = "^[0-9]+ "
"""What makes names of steps differ where words come again; axes leave it out."""


def maps(evidence: Mapping[str, TaskEvidence], comparison: Comparison) -> pd.DataFrame:
    """A row a task, example, variant, symbol (`output`, from 1) and step (`input`, from 1)."""
    import pandas as pd

    rows: list[tuple[Any, ...]] = []
    for task, known in evidence.items():
        if known.context is None or task not in comparison.tasks:
            continue
        pair = _pair(comparison.tasks[task])
        for one in sorted(known.context.attention, key=lambda one: one.sort):
            if one.variant in pair:
                rows += _rows(task, one)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _pair(task: TaskComparison) -> tuple[str, ...]:
    """The first primary pair; without one, the first two variants."""
    for pair in task.primary:
        return pair.a, pair.b
    return tuple(task.variants)[:2]


def _rows(task: str, one: Attended) -> Iterator[tuple[Any, ...]]:
    first = task, one.example, one.sort, one.variant
    for output, (said, weights) in enumerate(zip(one.said, one.weights, strict=True), 1):
        for place, (read, weight) in enumerate(zip(one.read, weights, strict=True), 1):
            yield (*first, output, said, place, read, weight)


def figures(name: str, table: pd.DataFrame) -> Iterator[Figure]:
    """A heat map an example and variant.

    Args:
        name: of the task.
        table: its rows of `maps`.
    """
    examples = list(dict.fromkeys(table["example"]))
    for (example, variant), own in table.groupby(["example", "variant"], sort=False):
        sort = own["sort"].iloc[0]
        said = own.drop_duplicates("output")["said"]
        yield Figure(
            f"{name}--attention-{examples.index(example) + 1}-{variant}",
            "attention",
            f"{variant}: {sort} example {example}",
            f"{variant} says of {example}: {' '.join(said)}",
            heat_map(own),
        )


def heat_map(table: pd.DataFrame) -> Spec:
    """Symbols down, steps across: `output, said, input, read, weight`."""
    import altair as alt

    across = [f"{k} {name}" for k, name in table[["input", "read"]].drop_duplicates().values]
    down = [f"{k} {name}" for k, name in table[["output", "said"]].drop_duplicates().values]
    columns = table[["output", "said", "input", "read", "weight"]].itertuples(index=False)
    rows = [
        {"read": f"{place} {read}", "said": f"{output} {said}", "share": float(weight)}
        for output, said, place, read, weight in columns
    ]
    shown = f"replace(datum.value, regexp({NUMBERED!r}), '')"

    def axis(limit: int, **options: Any) -> Any:
        return alt.Axis(labelExpr=shown, labelLimit=limit, labelOverlap=True, **options)

    chart = (
        charts.over(rows)
        .mark_rect(stroke=None)
        .encode(
            x=alt.X("read:N", sort=across, axis=axis(90, labelAngle=-90)),
            y=alt.Y("said:N", sort=down, axis=axis(110)),
            color=alt.value(charts.PALETTE[0]),
            opacity=alt.Opacity(
                "share:Q", scale=alt.Scale(domain=[0, 1], range=[0.02, 1]), legend=None
            ),
            tooltip=["said:N", "read:N", alt.Tooltip("share:Q", format=".1%")],
        )
    )
    return charts.finish(chart, height=max(90, ROW * len(down)))
