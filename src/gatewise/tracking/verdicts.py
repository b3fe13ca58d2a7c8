"""A task's comparison as an MLflow run: verdicts as notes, evidence as metrics, report attached."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from gatewise.artifacts.comparison import FILE, Comparison, TaskComparison
from gatewise.artifacts.runs import RunRecord
from gatewise.files import digest
from gatewise.report import words
from gatewise.tracking import answers, names, pictures, tables
from gatewise.tracking.content import Content, MetricKey

PAIRS = "pairs.json"
"""Table of every pair's evidence."""


def read(reports: str | Path) -> Comparison | None:
    """The comparison, if one was made.

    Raises:
        GatewiseError: it was made by another version.
    """
    return Comparison.read_if_made(Path(reports) / FILE)


def key(name: str, parents: Iterable[str]) -> str:
    """Identity of a task's comparison: the parent runs that were compared."""
    return digest(["comparison", name, sorted(parents)])


def of_task(name: str, comparison: Comparison, parents: Sequence[str]) -> Content:
    """The run that holds a task's verdicts.

    Args:
        name: of the task, which the comparison must contain.
        comparison: `reports/comparison.json`.
        parents: keys of the parent runs that were compared; they make the comparison's identity.
    """
    task = comparison.tasks[name]
    artifacts: dict[str, Callable[[], bytes]] = {
        "verdict.svg": partial(picture, task),
        PAIRS: lambda: _pairs(task).as_json(),
    }
    return Content(
        key=key(name, parents),
        name=name,
        task=name,
        kind="comparison",
        params={"metric": task.metric.name, "alpha": str(comparison.alpha)},
        metrics=_metrics(task),
        tags={
            "gatewise.task": name,
            "gatewise.verdict": "; ".join(map(words.verdict, task.primary)) or "no primary pair",
            "gatewise.answer": answers.sentence(task),
            "dvc.stage": "compare",
            **tables.tag([PAIRS]),
            **_answer_tags(task),
        },
        notes=notes(name, task),
        artifacts=artifacts,
        files_digest=digest(task.model_dump(mode="json")),
    )


def _answer_tags(task: TaskComparison) -> dict[str, str]:
    """What to take and what may be the best, to filter by."""
    if task.answer is None:
        return {}
    return {
        "gatewise.choice": task.answer.choice,
        "gatewise.contenders": ", ".join(task.answer.contenders),
    }


def _pairs(task: TaskComparison) -> tables.Table:
    metric = task.metric.definition
    rows = [
        (
            f"{pair.a} − {pair.b}",  # noqa: RUF001
            pair.rank,
            words.verdict(pair),
            words.difference(pair.difference, metric),
            words.difference_interval(pair.ci, metric),
            words.p_value(pair.deciding_p),
        )
        for pair in task.pairs
    ]
    unit = metric.unit.difference
    return tables.Table(("pair", "rank", "verdict", unit, "interval", "p"), rows)


def _metrics(task: TaskComparison) -> dict[MetricKey, float]:
    """The evidence of pairs, in the metric's own value; means stand on the variants' runs."""
    values: dict[str, float | None] = {}
    for pair in task.pairs:
        low, high = pair.ci or (None, None)
        evidence = {
            "difference": pair.difference,
            "difference_low": low,
            "difference_high": high,
            "p_value": pair.p_value,
            "p_value_holm": pair.p_value_holm,
            "p_superiority": pair.p_superiority,
            "seeds_needed": pair.seeds_needed,
        }
        values |= {names.of_pair(pair.a, pair.b, name): v for name, v in evidence.items()}
    return {(name, 0): float(value) for name, value in values.items() if value is not None}


def notes(name: str, task: TaskComparison) -> str:
    """A task's verdict in Markdown, with its picture."""
    lines = [f"### {words.title(name, task)}", "", *(f"- {s}" for s in words.answer(task)), ""]
    lines += ["![scores of every seed]({artifacts}verdict.svg)", ""]
    lines += [f"> {warning}" for warning in words.warnings(task)]
    return "\n".join(lines).strip()


def known(
    comparison: Comparison | None, name: str, variant: str, records: Iterable[RunRecord]
) -> dict[str, float]:
    """What the comparison knows of a variant beyond its own runs, if it is about these very runs.

    Returns:
        By metric: interval of the mean and shortfall in the metric's own value, and measured costs.
    """
    task = comparison.tasks.get(name) if comparison else None
    if task is None or variant not in task.variants:
        return {}
    summary, metric = task.variants[variant], task.metric.name
    scores = {record.seed: record.metrics["test"].get(metric) for record in records}
    if [scores.get(seed) for seed in summary.seeds] != list(summary.values):
        return {}
    score = names.final("test", metric)
    low, high = summary.ci or (None, None)
    step = summary.timings.get("train_step_ms")
    found = {
        names.low(score): low,
        names.high(score): high,
        names.shortfall(score): answers.shortfall(task, variant),
        names.TRAIN_STEP: step.median if step else None,
        names.INFERENCE: summary.latency_ms,
        names.EPOCH_SECONDS: summary.train_seconds_per_epoch,
        names.MEMORY: summary.peak_memory_mb,
    }
    return {name: float(value) for name, value in found.items() if value is not None}


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
