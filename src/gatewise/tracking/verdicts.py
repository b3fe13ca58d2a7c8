"""A task's comparison as an MLflow run: verdicts as notes, evidence as metrics, report attached."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gatewise.artifacts.runs import RunRecord
from gatewise.files import digest, read_json, sha256
from gatewise.report import words
from gatewise.tracking import pictures
from gatewise.tracking.content import Content, MetricKey

COMPARISON = "comparison.json"
ATTACHED = (COMPARISON, "summary.md", "index.html")
EVIDENCE = ("difference", "p_value", "p_value_holm", "p_superiority", "seeds_needed")


def read(reports: str | Path) -> dict[str, Any] | None:
    """The comparison, if one was made."""
    path = Path(reports) / COMPARISON
    return dict(read_json(path)) if path.is_file() else None


def of_task(
    task: str, comparison: Mapping[str, Any], parents: Iterable[str], reports: str | Path
) -> Content:
    """The run that holds a task's verdicts.

    Args:
        task: name of the task, which the comparison must contain.
        comparison: `reports/comparison.json`.
        parents: keys of the parent runs that were compared; they make the comparison's identity.
        reports: folder whose report is attached.
    """
    found = comparison["tasks"][task]
    metrics: dict[MetricKey, float] = {}
    for name, variant in found["variants"].items():
        metrics[f"{name}/mean", 0] = variant["mean"]
    for pair in found["pairs"]:
        name = f"{pair['a']}-{pair['b']}"
        for quantity in EVIDENCE:
            if pair.get(quantity) is not None:
                metrics[f"{name}/{quantity}", 0] = float(pair[quantity])
        if pair.get("ci"):
            metrics[f"{name}/ci_low", 0], metrics[f"{name}/ci_high", 0] = pair["ci"]
    files = [Path(reports) / name for name in ATTACHED if (Path(reports) / name).is_file()]
    artifacts: dict[str, Callable[[], bytes]] = {path.name: path.read_bytes for path in files}
    artifacts["verdict.svg"] = partial(picture, found)
    primary = [pair for pair in found["pairs"] if pair["primary"]]
    return Content(
        key=digest(["comparison", task, sorted(parents)]),
        name=task,
        task=task,
        kind="comparison",
        params={"metric": found["metric"], "alpha": str(comparison.get("alpha"))},
        metrics=metrics,
        tags={
            "gatewise.task": task,
            "gatewise.verdict": "; ".join(map(words.verdict, primary)) or "no primary pair",
            "dvc.stage": "compare",
        },
        notes=notes(task, found),
        artifacts=artifacts,
        files_digest=digest({path.name: sha256(path) for path in files}),
    )


def notes(task: str, found: Mapping[str, Any]) -> str:
    """A task's verdict in Markdown, with its picture."""
    lines = [f"### {words.title(task, found)}", "", *(f"- {s}" for s in words.answer(found)), ""]
    lines += ["![scores of every seed]({artifacts}verdict.svg)", ""]
    lines += [f"> {warning}" for warning in found.get("warnings", ())]
    return "\n".join(lines).strip()


def interval(
    comparison: Mapping[str, Any] | None, task: str, variant: str, records: Iterable[RunRecord]
) -> tuple[str, float, float] | None:
    """Name of the primary metric and the interval of its mean, if it is about these very runs."""
    try:
        found = (comparison or {})["tasks"][task]
        scored = found["variants"][variant]
    except KeyError:
        return None
    metric = found["metric"]
    values = {record.seed: record.metrics["test"].get(metric) for record in records}
    seeds = scored.get("seeds", found["seeds"])
    if scored["ci"] is None or [values.get(seed) for seed in seeds] != scored["values"]:
        return None
    low, high = scored["ci"]
    return f"test_{metric}", low, high


def variant_notes(comparison: Mapping[str, Any] | None, task: str, variant: str) -> str:
    """What the comparison says about one variant: its own score and the pairs it is in."""
    found = (comparison or {}).get("tasks", {}).get(task)
    if not found or variant not in found["variants"]:
        return ""
    scored = found["variants"][variant]
    lines = [
        f"Test {found['metric'].replace('_', ' ')} **{words.score(scored)}** over "
        f"{len(scored['values'])} seeds, interval {words.interval(scored['ci'])} %.",
        "",
    ]
    lines += [
        f"- {words.sentence(pair)} ({words.rank(pair)})"
        for pair in found["pairs"]
        if variant in (pair["a"], pair["b"])
    ]
    return "\n".join(lines)


def picture(found: Mapping[str, Any]) -> bytes:
    """Every seed's score, with means and intervals."""
    return pictures.scores(
        f"test {found['metric'].replace('_', ' ')}",
        {
            name: (variant["values"], variant["mean"], tuple(variant["ci"] or ()) or None)
            for name, variant in found["variants"].items()
        },
    ).encode()
