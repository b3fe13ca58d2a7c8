"""`reports/summary.md`: the comparison in brief, for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from gatewise.artifacts.comparison import Comparison, TaskComparison
from gatewise.report import tuning_words, words


def render(comparison: Comparison) -> str:
    """The comparison as Markdown: the answers first, then the figures."""
    parts = ["# LSTM or GRU?", "", "## The answer", ""]
    for name, task in comparison.tasks.items():
        parts.append(f"**{words.title(name, task)}**")
        parts += [f"- {line}" for line in words.answer(task)] + [""]
    warnings = [
        *comparison.warnings,
        *(line for task in comparison.tasks.values() for line in words.warnings(task)),
    ]
    if warnings:
        parts += ["> **Warnings**", *(f"> - {line}" for line in warnings), ""]
    for name, task in comparison.tasks.items():
        parts += [f"## {name}", "", *_variants(task), "", *_pairs(task), "", *_tuning(task)]
    if comparison.claims:
        rows = [[claim.statement, claim.said] for claim in comparison.claims]
        parts += ["## Claims", "", *_table(["textbook sentence", "verdict"], rows), ""]
    return "\n".join([*parts, words.footnote(comparison), ""])


def _variants(task: TaskComparison) -> list[str]:
    metric = task.metric.definition
    heading = [
        "variant",
        words.heading(task.metric),
        "interval",
        "seeds",
        "parameters",
        "MACs/step",
        "s/epoch",
        "ms/example",
    ]
    rows = [
        [
            name,
            words.score(variant, metric),
            words.interval(variant.ci, metric),
            str(len(variant.values)),
            words.count(variant.parameters),
            words.count(variant.macs_per_step),
            words.number(variant.train_seconds_per_epoch),
            words.number(variant.latency_ms),
        ]
        for name, variant in task.variants.items()
    ]
    for baseline in task.baselines.values():
        scored = [words.score(baseline, metric), words.interval(baseline.ci, metric)]
        rows.append([baseline.title, *scored, str(len(baseline.values)), *[""] * 4])
    return _table(heading, rows)


def _pairs(task: TaskComparison) -> list[str]:
    metric = task.metric.definition
    heading = [
        "pair",
        metric.unit.difference,
        "interval",
        "p",
        "P(a better)",
        "rank",
        "verdict",
    ]
    rows = [
        [
            f"{pair.a} − {pair.b}",  # noqa: RUF001 - a minus sign
            words.difference(pair.difference, metric),
            words.difference_interval(pair.ci, metric),
            words.deciding_p(pair),
            words.number(pair.p_superiority),
            pair.rank,
            words.verdict(pair),
        ]
        for pair in task.pairs
    ]
    return _table(heading, rows)


def _tuning(task: TaskComparison) -> list[str]:
    if task.tuning is None:
        return []
    told = [tuning_words.how(task.tuning), tuning_words.importance(task.tuning)]
    return [" ".join(filter(None, told)), "", *_table(*tuning_words.table(task, task.tuning)), ""]


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---", *["---:"] * (len(heading) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (heading, rule, *rows)]
