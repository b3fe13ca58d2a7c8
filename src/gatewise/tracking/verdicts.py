"""A task's comparison as an MLflow run: verdicts as notes, evidence as metrics, report attached."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from gatewise.artifacts.comparison import FILE, Comparison, TaskComparison
from gatewise.artifacts.runs import RunRecord
from gatewise.files import digest, sha256
from gatewise.report import words
from gatewise.tracking import pictures
from gatewise.tracking.content import Content, MetricKey

ATTACHED = (FILE, "summary.md", "index.html")


def read(reports: str | Path) -> Comparison | None:
    """The comparison, if one was made.

    Raises:
        GatewiseError: it was made by another version.
    """
    return Comparison.read_if_made(Path(reports) / FILE)


def of_task(
    name: str, comparison: Comparison, parents: Iterable[str], reports: str | Path
) -> Content:
    """The run that holds a task's verdicts.

    Args:
        name: of the task, which the comparison must contain.
        comparison: `reports/comparison.json`.
        parents: keys of the parent runs that were compared; they make the comparison's identity.
        reports: folder whose report is attached.
    """
    task = comparison.tasks[name]
    files = [Path(reports) / file for file in ATTACHED if (Path(reports) / file).is_file()]
    artifacts: dict[str, Callable[[], bytes]] = {path.name: path.read_bytes for path in files}
    artifacts["verdict.svg"] = partial(picture, task)
    return Content(
        key=digest(["comparison", name, sorted(parents)]),
        name=name,
        task=name,
        kind="comparison",
        params={"metric": task.metric.name, "alpha": str(comparison.alpha)},
        metrics=_metrics(task),
        tags={
            "gatewise.task": name,
            "gatewise.verdict": "; ".join(map(words.verdict, task.primary)) or "no primary pair",
            "dvc.stage": "compare",
            **_answer_tags(task),
        },
        notes=notes(name, task),
        artifacts=artifacts,
        files_digest=digest({path.name: sha256(path) for path in files}),
    )


def _answer_tags(task: TaskComparison) -> dict[str, str]:
    """What to take, to filter by, and the sentence."""
    if task.answer is None:
        return {}
    return {
        "gatewise.choice": task.answer.choice,
        "gatewise.contenders": ", ".join(task.answer.contenders),
        "gatewise.answer": task.answer.sentence,
    }


def _metrics(task: TaskComparison) -> dict[MetricKey, float]:
    """Means of variants and the evidence of pairs, in the metric's own value."""
    values: dict[str, float | None] = {
        f"{name}/mean": summary.mean for name, summary in task.variants.items()
    }
    if task.answer is not None:
        for variant, own in task.answer.by_variant.items():
            values[f"{variant}/shortfall"] = own.shortfall
            values[f"{variant}/shortfall_over_groups"] = own.shortfall_over_groups
    for pair in task.pairs:
        name = f"{pair.a}-{pair.b}"
        low, high = pair.ci or (None, None)
        values |= {
            f"{name}/difference": pair.difference,
            f"{name}/p_value": pair.p_value,
            f"{name}/p_value_holm": pair.p_value_holm,
            f"{name}/p_superiority": pair.p_superiority,
            f"{name}/seeds_needed": pair.seeds_needed,
            f"{name}/ci_low": low,
            f"{name}/ci_high": high,
        }
    return {(name, 0): float(value) for name, value in values.items() if value is not None}


def notes(name: str, task: TaskComparison) -> str:
    """A task's verdict in Markdown, with its picture."""
    lines = [f"### {words.title(name, task)}", "", *(f"- {s}" for s in words.answer(task)), ""]
    lines += ["![scores of every seed]({artifacts}verdict.svg)", ""]
    lines += [f"> {warning}" for warning in words.warnings(task)]
    return "\n".join(lines).strip()


def interval(
    comparison: Comparison | None, name: str, variant: str, records: Iterable[RunRecord]
) -> tuple[str, float, float] | None:
    """Name of the primary metric and the interval of its mean, if it is about these very runs."""
    task = comparison.tasks.get(name) if comparison else None
    if task is None or variant not in task.variants:
        return None
    summary, metric = task.variants[variant], task.metric.name
    values = {record.seed: record.metrics["test"].get(metric) for record in records}
    same = [values.get(seed) for seed in summary.seeds] == list(summary.values)
    return (f"test_{metric}", *summary.ci) if summary.ci and same else None


def variant_notes(comparison: Comparison | None, name: str, variant: str) -> str:
    """What the comparison says about one variant: its own score and the pairs it is in."""
    task = comparison.tasks.get(name) if comparison else None
    if task is None or variant not in task.variants:
        return ""
    summary, metric = task.variants[variant], task.metric.definition
    lines = [
        f"{words.heading(task.metric).capitalize()} **{words.score(summary, metric)}** over "
        f"{len(summary.values)} seeds, interval "
        f"{words.interval(summary.ci, metric)}{metric.unit.symbol}.",
        "",
    ]
    lines += [
        f"- {words.sentence(pair, metric)} ({pair.rank})" for pair in task.pairs_with(variant)
    ]
    return "\n".join(lines)


def picture(task: TaskComparison) -> bytes:
    """Every seed's score, with means and intervals."""
    metric = task.metric.definition
    scaled = {
        name: (
            [metric.scaled(value) for value in summary.values],
            metric.scaled(summary.mean),
            summary.ci and (metric.scaled(summary.ci[0]), metric.scaled(summary.ci[1])),
        )
        for name, summary in task.variants.items()
    }
    return pictures.scores(f"test {metric.axis}", scaled).encode()
