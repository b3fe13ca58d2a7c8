"""Forecasts side by side: what came, and what each variant said of it with its interval.

Two examples that the variants together do worst on, and two in the middle. The first seed that all
have run speaks for each; `compare` writes what is drawn to `reports/plots/forecasts.csv`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gatewise.artifacts import shown_examples
from gatewise.artifacts.comparison import TaskComparison
from gatewise.evidence.task_evidence import TaskEvidence
from gatewise.report import charts, chosen
from gatewise.report.figure import Figure

if TYPE_CHECKING:
    import pandas as pd

PICTURE = "fans"
"""By which objectives ask for it."""
EACH = 2
"""Examples of either sort."""
DRAWN = ("actual", "forecast", "lower", "upper")
COLUMNS = ("task", "example", "sort", "variant", "measure", "step", *DRAWN)


def forecasts(evidence: Mapping[str, TaskEvidence], root: str | Path = "runs") -> pd.DataFrame:
    """A row a task, chosen example, variant and step, with what is drawn.

    Columns are `task, example, sort, variant, measure, step, actual, forecast, lower, upper`; no
    row for tasks of other objectives.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for task, known in evidence.items():
        if known.card is not None and PICTURE in known.card.asks.pictures:
            rows += _of_task(task, known, Path(root))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _of_task(task: str, known: TaskEvidence, root: Path) -> Iterator[dict[str, Any]]:
    found = chosen.first_seeds(task, known, root)
    if not found:
        return
    ids = next(iter(found.values())).ids
    measures = {name: one.kind.shown(one.columns, []).measure for name, one in found.items()}
    for sort, place in shown_examples.examples(measures, EACH):
        for variant, one in found.items():
            drawn = zip(*(np.asarray(one.columns[name])[place] for name in DRAWN), strict=True)
            for step, values in enumerate(drawn, 1):
                yield {
                    "task": task,
                    "example": ids[place],
                    "sort": sort,
                    "variant": variant,
                    "measure": float(measures[variant][place]),
                    "step": step,
                    **dict(zip(DRAWN, map(float, values), strict=True)),
                }


def figures(name: str, task: TaskComparison, table: pd.DataFrame) -> Iterator[Figure]:
    """A chart an example.

    Args:
        name: of the task.
        task: its entry in the comparison.
        table: its rows of `forecasts`.
    """
    variants = [variant for variant in task.variants if variant in set(table["variant"])]
    metric = task.metric.definition
    for number, (example, own) in enumerate(table.groupby("example", sort=False), 1):
        said = own.groupby("variant", sort=False)["measure"].first()
        scored = ", ".join(f"{variant} {said[variant]:.2f}" for variant in variants)
        sort = own["sort"].iloc[0]
        yield Figure(
            f"{name}--forecast-{number}",
            "forecast",
            f"{sort} example {example}: what came (dashed) and forecasts with their intervals",
            f"{example}: {metric.title} {scored}",
            charts.fan(own, variants),
        )
