"""A chart of the page with what stands for it where it cannot be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gatewise.report.charts import Spec

Kind = Literal[
    "forest",
    "cost",
    "curve",
    "confusion",
    "forecast",
    "attention",
    "ranks",
    "probe",
    "context",
    "tuning",
]


@dataclass(frozen=True)
class Figure:
    """A chart and what stands for it where it cannot be seen."""

    key: str
    kind: Kind
    caption: str
    alternative: str
    spec: Spec
