"""`reports/index.html`: one self-contained file that needs no network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatewise.artifacts import checkout, csv_tables
from gatewise.artifacts.comparison import Comparison, TaskComparison
from gatewise.artifacts.data_report import DataReport
from gatewise.artifacts.probes import ProbeReport
from gatewise.evidence.comparison import read_probes
from gatewise.evidence.memory import unlearnt
from gatewise.report import (
    attention,
    charts,
    fans,
    memory,
    plots,
    side_by_side,
    thumbnails,
    tuning,
    tuning_words,
    words,
)
from gatewise.report.figure import Figure

if TYPE_CHECKING:
    import pandas as pd

COSTS = (
    ("parameters", "parameters"),
    ("macs_per_step", "multiply-accumulates per step"),
    ("latency_ms", "latency of one example, ms"),
)
REVIEW = "review.html"
"""Page beside the report that the MLflow mirror leaves; shown, out of sight, where it is."""
SNIPPET = "window.vegaEmbed = vegaEmbed;"


@dataclass(frozen=True)
class Siblings:
    """What lies beside `comparison.json` and is shown with it; all of it may be absent."""

    curves: pd.DataFrame | None = None
    confusion: pd.DataFrame | None = None
    forecasts: pd.DataFrame | None = None
    examples: pd.DataFrame | None = None
    data: Mapping[str, DataReport] = field(default_factory=dict)
    """By task."""
    probes: Mapping[str, ProbeReport] = field(default_factory=dict)
    """By variant."""
    commit: str | None = None
    images: pd.DataFrame | None = None
    """Of the examples."""
    attention: pd.DataFrame | None = None
    """Where models look in some of them."""


def read_siblings(
    reports: str | Path = "reports", tasks: Iterable[str] = (), variants: Iterable[str] = ()
) -> Siblings:
    """Read what is there."""
    reports = Path(reports)

    def table(name: str, required: Sequence[str], texts: Sequence[str]) -> pd.DataFrame | None:
        path = reports / "plots" / f"{name}.csv"
        if not path.is_file():
            return None
        return csv_tables.read(path, required, "run `dvc repro -f compare`", texts)

    files = {task: reports / "data" / f"{task}.json" for task in tasks}
    data = {task: DataReport.read(path) for task, path in files.items() if path.is_file()}
    return Siblings(
        table("curves", plots.CURVES, ("task", "variant")),
        table("confusion", plots.CONFUSION, ("task", "variant", "actual", "predicted")),
        table("forecasts", fans.COLUMNS, ("task", "example", "sort", "variant")),
        table("examples", side_by_side.COLUMNS, side_by_side.COLUMNS[:-1]),
        data,
        read_probes(variants, reports),
        commit(),
        table("images", thumbnails.COLUMNS, thumbnails.COLUMNS),
        table("attention", attention.COLUMNS, attention.TEXTS),
    )


def commit() -> str | None:
    """The checked-out commit, or `None` outside a git repository."""
    full = checkout.commit()
    return None if full is None else full[:12]


def render(comparison: Comparison, siblings: Siblings | None = None) -> str:
    """The comparison as a page; see `page.html.j2` beside this file."""
    import yaml
    from jinja2 import Environment, PackageLoader, StrictUndefined

    siblings = siblings or Siblings()
    figures = {name: task_figures(name, t, siblings) for name, t in comparison.tasks.items()}
    overall = overall_figures(comparison)
    probes = memory.probe_figures(siblings.probes)
    everything = [f for several in (*figures.values(), overall, probes) for f in several]
    environment = Environment(
        loader=PackageLoader("gatewise.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        comparison=comparison,
        figures=figures,
        overall=overall,
        examples=_examples(siblings.examples, siblings.images),
        probe_figures=probes,
        probes=siblings.probes,
        unlearnt=unlearnt(siblings.probes),
        data=siblings.data,
        commit=siblings.commit,
        study=yaml.safe_dump(dict(comparison.study), sort_keys=False, width=100),
        words=words,
        tuning_words=tuning_words,
        specs=embeddable({figure.key: figure.spec for figure in everything}),
        library=library() if everything else "",
        review=REVIEW,
    )


def _examples(
    table: pd.DataFrame | None, images: pd.DataFrame | None
) -> dict[str, list[side_by_side.Row]]:
    """Examples side by side, by task."""
    if table is None:
        return {}
    seen: dict[str, dict[str, str]] = {}
    for task, example, image in [] if images is None else images[list(thumbnails.COLUMNS)].values:
        seen.setdefault(str(task), {})[str(example)] = str(image)
    by_task = table.groupby("task", sort=False)
    return {str(task): side_by_side.rows(own, seen.get(str(task))) for task, own in by_task}


def overall_figures(comparison: Comparison) -> list[Figure]:
    """Ranks over all tasks, where there are enough of them."""
    spec, across = charts.ranks(comparison.across), comparison.across
    if spec is None:
        return []
    return [Figure("ranks", "ranks", "Average ranks over tasks", across.sentence, spec)]


def task_figures(name: str, task: TaskComparison, siblings: Siblings) -> list[Figure]:
    """A task's charts, those for which there are data."""
    figures = [*_forests(name, task), *memory.context_figures(name, task), *_costs(name, task)]
    figures += tuning.figures(name, task)
    if siblings.curves is not None:
        figures += _curves(name, task, siblings.curves[siblings.curves["task"] == name])
    if siblings.confusion is not None:
        figures += _confusions(name, task, siblings.confusion[siblings.confusion["task"] == name])
    if siblings.forecasts is not None:
        figures += fans.figures(name, task, siblings.forecasts[siblings.forecasts["task"] == name])
    if siblings.attention is not None:
        figures += attention.figures(name, siblings.attention[siblings.attention["task"] == name])
    return figures


def _forests(name: str, task: TaskComparison) -> Iterator[Figure]:
    for rank, primary in (("primary", True), ("secondary", False)):
        metric = task.metric.definition
        sentences = (words.sentence(p, metric) for p in task.pairs if p.primary == primary)
        caption = f"{rank.capitalize()} pairs: thick, the interval over seeds; thin, over seeds "
        caption += "and test groups; shaded, practically the same."
        spec = charts.forest(task, primary)
        if spec is not None:
            key = f"{name}--forest-{rank}"
            yield Figure(key, "forest", caption, " ".join(sentences), spec)


def _costs(name: str, task: TaskComparison) -> Iterator[Figure]:
    metric = task.metric.definition
    scored = ", ".join(f"{v} {words.score(s, metric)}" for v, s in task.variants.items())
    for cost, title in COSTS:
        spec = charts.pareto(task, cost, title)
        if spec is not None:
            yield Figure(f"{name}--{cost}", "cost", f"Score against {title}", scored, spec)


def _curves(name: str, task: TaskComparison, table: pd.DataFrame) -> Iterator[Figure]:
    metric = task.metric.definition
    for key, column, axis, scale in (
        ("metric", f"validation_{metric.name}", f"validation {metric.axis}", metric.scaled(1.0)),
        ("loss", "validation_loss", "validation loss", 1.0),
    ):
        spec = charts.curves(table, list(task.variants), column, axis, scale)
        if spec is not None:
            caption = f"{axis}: mean and range over seeds"
            yield Figure(f"{name}--{key}", "curve", caption, caption, spec)


def _confusions(name: str, task: TaskComparison, table: pd.DataFrame) -> Iterator[Figure]:
    metric = task.metric.definition
    for variant, summary in task.variants.items():
        spec = charts.confusion(table[table["variant"] == variant])
        if spec is not None:
            yield Figure(
                f"{name}--confusion-{variant}",
                "confusion",
                f"{variant}: confusion over all seeds",
                f"{variant}: {words.heading(task.metric)} {words.score(summary, metric)}",
                spec,
            )


@cache
def library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from the installed vl-convert."""
    import vl_convert

    return str(vl_convert.javascript_bundle(SNIPPET)).replace("</script", "<\\/script")


def embeddable(value: Any) -> str:
    """JSON that may stand inside a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
