"""Saved views of MLflow's runs page, as the experiment tags that MLflow keeps them in.

The pages store a named view since MLflow 3.15 as a tag `mlflow.sharedViewState.<key>`, a JSON
envelope of name, time and state; the state is what the page itself serialises (its models
`ExperimentPageSearchFacetsState` and `ExperimentPageUIState`), deflated. None of it is a promised
interface, so it is written only for versions that are known to read it (`unsupported`).
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import dataclass
from typing import Any, Literal

TAG = "mlflow.sharedViewState."
KEYS = "gatewise-"
"""What the keys of our own views begin with; others are people's."""
FIRST, END = (3, 15), (4, 0)
"""Versions of MLflow that read these tags: from the first up to below the second."""
LONGEST_TAG = 5_000
"""Characters that a tag of an experiment holds."""
VARIANT_TAG = "gatewise.variant"
ANSWER_TAG = "gatewise.answer"
FIRST_COLUMN = "attributes.`Run Name`"
RUN_WIDTH, SENTENCE_WIDTH = 190, 620

Mode = Literal["TABLE", "CHART"]
Chart = dict[str, Any]


@dataclass(frozen=True)
class View:
    """One saved view."""

    key: str
    """Part of links; stays the same in every store."""
    name: str
    """As the menu shows it."""
    filter: str
    """Which runs, in MLflow's search language."""
    order_by: str = "attributes.start_time"
    """Canonical key of a column, as `metric` and `param` make it."""
    ascending: bool = False
    columns: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    group_by_variant: bool = False
    """Show variants as groups of their seeds, with MLflow's own mean and band."""
    mode: Mode = "TABLE"
    """What a link opens; the page's buttons switch to the other."""

    @property
    def tag(self) -> str:
        """Name of the tag."""
        return TAG + self.key

    def value(self, created: int) -> str:
        """Text of the tag.

        Args:
            created: milliseconds since 1970. The menu lists the latest first.
        """
        packed = zlib.compress(json.dumps(self.state(), sort_keys=True).encode(), 9)
        state = f"deflate;{base64.b64encode(packed).decode()}"
        return json.dumps(
            {"name": self.name, "createdAt": created, "updatedAt": created, "state": state}
        )

    def state(self) -> dict[str, Any]:
        """The page's state, but for what a view never carries (pinned, hidden, unfolded runs)."""
        section = f"{self.key}-charts"
        charts = [
            {
                "deleted": False,
                "isGenerated": False,
                "metricSectionId": section,
                "runsCountToCompare": 100,
                "uuid": f"{self.key}-{i}",
                **chart,
            }
            for i, chart in enumerate(self.charts)
        ]
        group = {
            "aggregateFunction": "average",
            "groupByKeys": [{"mode": "tag", "groupByData": VARIANT_TAG}],
        }
        return {
            "searchFilter": self.filter,
            "orderByKey": self.order_by,
            "orderByAsc": self.ascending,
            "startTime": "ALL",
            "lifecycleFilter": "Active",
            "modelVersionFilter": "All Runs",
            "datasetsFilter": [],
            "selectedColumns": list(self.columns),
            "columnOrder": [FIRST_COLUMN, *self.columns],
            "columnWidths": {
                FIRST_COLUMN: RUN_WIDTH,
                **{column: _width(column) for column in self.columns},
            },
            "runsHiddenMode": "FIRST_20_RUNS",
            "viewMaximized": False,
            "runListHidden": False,
            "groupBy": group if self.group_by_variant else None,
            "groupsExpanded": {},
            "useGroupedValuesInCharts": True,
            "hideEmptyCharts": True,
            "isAccordionReordered": True,
            "compareRunSections": [
                {
                    "uuid": section,
                    "name": self.name,
                    "display": True,
                    "isReordered": True,
                    "deleted": False,
                    "isGenerated": False,
                }
            ],
            "compareRunCharts": charts,
            "globalLineChartConfig": {
                "xAxisKey": "step",
                "lineSmoothness": 0,
                "selectedXAxisMetricKey": "",
            },
        }


# --- columns -------------------------------------------------------------------------------


def metric(name: str) -> str:
    """Column of a metric."""
    return f"metrics.`{name}`"


def param(name: str) -> str:
    """Column of a parameter."""
    return f"params.`{name}`"


def tag(name: str) -> str:
    """Column of a tag."""
    return f"tags.`{name}`"


# --- charts --------------------------------------------------------------------------------


def bar(name: str, title: str = "") -> Chart:
    """One bar a run."""
    return {"type": "BAR", "metricKey": name, **_titled(title)}


def line(*metrics: str, title: str = "") -> Chart:
    """Metrics by epoch."""
    return {
        "type": "LINE",
        "metricKey": metrics[0],
        "selectedMetricKeys": list(metrics),
        "lineSmoothness": 0,
        "xAxisKey": "step",
        "xAxisScaleType": "linear",
        "scaleType": "linear",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "selectedXAxisMetricKey": "",
        "range": {},
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
        **_titled(title),
    }


def scatter(x: str, y: str, title: str = "") -> Chart:
    """One point a run; each axis is a column."""
    return {"type": "SCATTER", "xaxis": _axis(x), "yaxis": _axis(y), **_titled(title)}


def contour(x: str, y: str, z: str, title: str = "") -> Chart:
    """One point a run, `z` as colour between them; each axis is a column."""
    axes = {"xaxis": _axis(x), "yaxis": _axis(y), "zaxis": _axis(z)}
    return {"type": "CONTOUR", **axes, **_titled(title)}


def parallel(params: tuple[str, ...], metrics: tuple[str, ...], title: str = "") -> Chart:
    """One line a run across settings and scores."""
    return {
        "type": "PARALLEL",
        "selectedParams": list(params),
        "selectedMetrics": list(metrics),
        "showAllRuns": True,
        **_titled(title),
    }


# --- which MLflow --------------------------------------------------------------------------


def unsupported(version: str) -> str | None:
    """Why an MLflow of this version gets no views, in one sentence; None if it does."""
    found = re.match(r"(\d+)\.(\d+)", version)
    if found and FIRST <= (int(found[1]), int(found[2])) < END:
        return None
    first, end = (".".join(map(str, bound)) for bound in (FIRST, END))
    return (
        f"no saved views were written: they are known to work in MLflow {first} up to below {end}, "
        f"and this is {version or 'of no known version'}"
    )


# --- inner ---------------------------------------------------------------------------------


def _width(column: str) -> int:
    """Pixels that show a column's heading, or a whole sentence."""
    if ANSWER_TAG in column:
        return SENTENCE_WIDTH
    return 60 + 7 * len(column.partition(".")[2])


def _axis(column: str) -> dict[str, str]:
    kind, _, name = column.partition(".")
    return {"type": "METRIC" if kind == "metrics" else "PARAM", "key": name.strip("`")}


def _titled(title: str) -> dict[str, str]:
    return {"displayName": title} if title else {}
