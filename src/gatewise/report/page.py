"""`reports/index.html`: one self-contained file that needs no network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatewise.artifacts import checkout
from gatewise.evidence.comparison import read_probes
from gatewise.files import read_json
from gatewise.report import charts, words
from gatewise.report.table import footnote

if TYPE_CHECKING:
    import pandas as pd

COSTS = (
    ("parameters", "parameters"),
    ("macs_per_step", "multiply-accumulates per step"),
    ("latency_ms", "latency of one example, ms"),
)
CURVES = (("validation_{metric}", "validation {metric}, %"), ("validation_loss", "validation loss"))


SNIPPET = "window.vegaEmbed = vegaEmbed;"


@dataclass(frozen=True)
class Siblings:
    """What lies beside `comparison.json` and is shown with it; all of it may be absent."""

    curves: pd.DataFrame | None = None
    confusion: pd.DataFrame | None = None
    certificates: Mapping[str, Any] = field(default_factory=dict)
    """`reports/data/<task>.json`."""
    probes: Mapping[str, Any] = field(default_factory=dict)
    """What `comparison.read_probes` gives."""
    commit: str | None = None


@dataclass
class Figure:
    """A chart and what stands for it where it cannot be seen."""

    key: str
    caption: str
    alternative: str
    spec: dict[str, Any]


def read_siblings(
    reports: str | Path = "reports", tasks: Iterable[str] = (), variants: Iterable[str] = ()
) -> Siblings:
    """Read what is there."""
    import pandas as pd

    reports = Path(reports)

    def table(name: str) -> pd.DataFrame | None:
        path = reports / "plots" / f"{name}.csv"
        return pd.read_csv(path) if path.is_file() else None

    certificates = {
        task: read_json(reports / "data" / f"{task}.json")
        for task in tasks
        if (reports / "data" / f"{task}.json").is_file()
    }
    return Siblings(
        table("curves"),
        table("confusion"),
        certificates,
        read_probes(variants, reports),
        commit(),
    )


def commit() -> str | None:
    """The checked-out commit, or `None` outside a git repository."""
    full = checkout.commit()
    return None if full is None else full[:12]


def render(comparison: Mapping[str, Any], siblings: Siblings | None = None) -> str:
    """The comparison as a page; see `page.html.j2` beside this file."""
    import yaml
    from jinja2 import Environment, PackageLoader, StrictUndefined

    siblings = siblings or Siblings()
    figures = {name: task_figures(name, t, siblings) for name, t in comparison["tasks"].items()}
    ranks = charts.ranks(comparison["across"])
    overall = (
        []
        if ranks is None
        else [Figure("ranks", "Average ranks over tasks", comparison["across"]["sentence"], ranks)]
    )
    probes = probe_figures(siblings.probes)
    everything = [f for found in (*figures.values(), overall, probes) for f in found]
    environment = Environment(
        loader=PackageLoader("gatewise.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        comparison=comparison,
        tasks=comparison["tasks"],
        figures=figures,
        overall=overall,
        probe_figures=probes,
        probes=siblings.probes,
        certificates=siblings.certificates,
        commit=siblings.commit,
        study=yaml.safe_dump(comparison.get("study", {}), sort_keys=False, width=100),
        words=words,
        footnote=footnote(comparison),
        specs=embeddable({figure.key: figure.spec for figure in everything}),
        library=library() if everything else "",
    )


def task_figures(name: str, task: Mapping[str, Any], siblings: Siblings) -> list[Figure]:
    """A task's charts, those for which there are data."""
    found: list[Figure] = []

    def add(key: str, caption: str, alternative: str, spec: dict[str, Any] | None) -> None:
        if spec is not None:
            found.append(Figure(f"{name}--{key}", caption, alternative, spec))

    for rank, primary in (("primary", True), ("secondary", False)):
        told = " ".join(words.sentence(p) for p in task["pairs"] if p["primary"] == primary)
        caption = f"{rank.capitalize()} pairs: thick, the interval over seeds; thin, over seeds "
        caption += "and test groups; shaded, practically the same."
        add(f"forest-{rank}", caption, told, charts.forest(task, primary))
    scored = ", ".join(f"{v} {words.score(c)}" for v, c in task["variants"].items())
    for cost, title in COSTS:
        add(cost, f"Score against {title}", scored, charts.pareto(task, cost, title))
    if siblings.curves is not None:
        mine = siblings.curves[siblings.curves["task"] == name]
        metric = task["metric"]
        for column, title in CURVES:
            spec = charts.curves(
                mine,
                task,
                column.format(metric=metric),
                title.format(metric=metric.replace("_", " ")),
            )
            caption = f"{title.format(metric=metric.replace('_', ' '))}: mean and range over seeds"
            add(column.split("_")[1].strip("{}"), caption, caption, spec)
    if siblings.confusion is not None:
        mine = siblings.confusion[siblings.confusion["task"] == name]
        for variant in task["variants"]:
            add(
                f"confusion-{variant}",
                f"{variant}: confusion over all seeds",
                f"{variant}: {words.score(task['variants'][variant])} right on average",
                charts.confusion(mine[mine["variant"] == variant]),
            )
    return found


def probe_figures(probes: Mapping[str, Any]) -> list[Figure]:
    """Accuracy against length for each probe, gradient norm against distance."""
    if not probes:
        return []
    variants = list(probes["variants"])
    found = []
    for probe, title in probes["titles"].items():
        rows = [
            {"variant": v, "length": point["length"], "score": 100 * point["score"]}
            for v in variants
            for point in probes["variants"][v]["probes"][probe]["lengths"]
            if point["score"] is not None
        ]
        solved = "; ".join(
            f"{v} solves {probes['variants'][v]['probes'][probe]['longest_solved'] or 'none'}"
            for v in variants
        )
        spec = charts.lines(rows, variants, ("length", "length, steps"), ("score", "score, %"))
        if spec is not None:
            found.append(Figure(f"probe-{probe}", title, solved, spec))
    for when, moment in (("initial", "at initialisation"), ("trained", "after training")):
        rows = [
            {"variant": v, "distance": distance, "gradient": value}
            for v in variants
            for distance, value in enumerate(probes["variants"][v]["gradient"][when]["log10"])
        ]
        spec = charts.lines(
            rows, variants, ("distance", "distance in steps"), ("gradient", "log10 norm"), log=True
        )
        caption = f"Gradient that reaches back, {moment}"
        if spec is not None:
            found.append(Figure(f"gradient-{when}", caption, caption, spec))
    return found


@cache
def library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from the installed vl-convert."""
    import vl_convert

    return str(vl_convert.javascript_bundle(SNIPPET)).replace("</script", "<\\/script")


def embeddable(value: Any) -> str:
    """JSON that may stand inside a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
