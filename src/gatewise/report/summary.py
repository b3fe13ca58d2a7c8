"""`reports/summary.md`: the comparison in brief, for a pull request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gatewise.report import words
from gatewise.report.table import footnote


def render(comparison: Mapping[str, Any]) -> str:
    """The comparison as Markdown: the answers first, then the figures."""
    parts = ["# LSTM or GRU?", "", "## The answer", ""]
    for name, task in comparison["tasks"].items():
        parts.append(f"**{words.title(name, task)}**")
        parts += [f"- {line}" for line in words.answer(task)] + [""]
    warnings = [
        *comparison["warnings"],
        *(line for task in comparison["tasks"].values() for line in task["warnings"]),
    ]
    if warnings:
        parts += ["> **Warnings**", *(f"> - {line}" for line in warnings), ""]
    for name, task in comparison["tasks"].items():
        parts += [f"## {name}", "", *_variants(task), "", *_pairs(task), ""]
    if comparison["claims"]:
        rows = [[claim["statement"], claim["verdict"]] for claim in comparison["claims"]]
        parts += ["## Claims", "", *_table(["textbook sentence", "verdict"], rows), ""]
    return "\n".join([*parts, footnote(comparison), ""])


def _variants(task: Mapping[str, Any]) -> list[str]:
    heading = [
        "variant",
        f"test {task['metric'].replace('_', ' ')}",
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
            words.score(variant),
            words.interval(variant["ci"]),
            str(len(variant["values"])),
            words.count(variant["parameters"]),
            words.count(variant["macs_per_step"]),
            words.number(variant["train_seconds_per_epoch"]),
            words.number(variant["latency_ms"]),
        ]
        for name, variant in task["variants"].items()
    ]
    for baseline in task["baselines"].values():
        scored = [baseline["title"], words.score(baseline), words.interval(baseline["ci"])]
        rows.append([*scored, str(len(baseline["values"])), *[""] * 4])
    return _table(heading, rows)


def _pairs(task: Mapping[str, Any]) -> list[str]:
    heading = ["pair", "points", "interval", "p", "P(a > b)", "rank", "verdict"]
    rows = [
        [
            f"{pair['a']} − {pair['b']}",  # noqa: RUF001 - a minus sign
            words.points(pair["difference"]),
            words.interval(pair["ci"], signed=True),
            words.p_value(words.deciding_p(pair)),
            words.number(pair["p_superiority"]),
            words.rank(pair),
            words.verdict(pair),
        ]
        for pair in task["pairs"]
    ]
    return _table(heading, rows)


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---", *["---:"] * (len(heading) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (heading, rule, *rows)]
