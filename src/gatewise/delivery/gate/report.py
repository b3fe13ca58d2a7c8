"""The gate in JSON for programs and in Markdown for the people who review a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gatewise.config import GateConfig
from gatewise.delivery.gate import pictures, slices
from gatewise.delivery.gate.assessment import Result, TaskResult
from gatewise.delivery.gate.interval import Difference
from gatewise.delivery.gate.rule import PASS, REGRESSION, UNDECIDED, Check

EXIT = {PASS: 0, REGRESSION: 1, UNDECIDED: 2}
MARK = {PASS: "✅", REGRESSION: "❌", UNDECIDED: "❔"}


def as_json(result: Result, settings: GateConfig) -> dict[str, Any]:
    """Plain data for `reports/gate.json`."""
    return {
        "against": result.against,
        "verdict": result.verdict,
        "exit_code": EXIT[result.verdict],
        "settings": settings.model_dump(mode="json"),
        "tasks": {task: _task(part, settings) for task, part in result.tasks.items()},
    }


def _task(result: TaskResult, settings: GateConfig) -> dict[str, Any]:
    return {
        "metric": result.metric.name,
        "direction": result.metric.direction,
        "verdict": result.verdict,
        "broken": result.broken,
        "notes": result.notes,
        "answer": result.answer,
        "promotion": asdict(result.promotion),
        "checks": [_check(check, settings) for check in result.checks],
    }


def _check(check: Check, settings: GateConfig) -> dict[str, Any]:
    return {
        "variant": check.variant,
        "reference": check.reference,
        "origin": check.origin,
        "must_pass": check.must_pass,
        "verdict": check.verdict,
        "reasons": check.reasons,
        "notes": check.notes,
        "difference": _difference(check.overall, settings.alpha),
        "p_worse": check.p_worse,
        "seeds_needed": check.seeds_needed,
        "slices": {
            name: {
                **(_difference(part, settings.alpha) or {}),
                "p_worse": check.p_slices.get(name),
                "fallen": name in check.fallen,
            }
            for name, part in check.slices.items()
        },
        "budgets": [{**asdict(budget), "ratio": budget.ratio} for budget in check.budgets],
        "data": [asdict(data_check) for data_check in check.data],
    }


def _difference(difference: Difference | None, alpha: float) -> dict[str, Any] | None:
    if difference is None:
        return None
    bounds = list(difference.bounds(alpha))
    return {**asdict(difference), "se": difference.se, "bounds": bounds}


# --- Markdown ------------------------------------------------------------------------------


def as_markdown(result: Result, settings: GateConfig, *, terminal: bool = False) -> str:
    """The verdict first, then a table, what fell, what moved, and pictures.

    Args:
        result: the gate's.
        settings: as well.
        terminal: draw in characters, for readers that draw no Mermaid.
    """
    lines = [f"## {MARK[result.verdict]} Gate: {result.verdict}", ""]
    lines += [f"Against **{result.against}**, {_margins(result, settings)}.", ""]
    rows = [
        _row(task, check, settings) for task, part in result.tasks.items() for check in part.main
    ]
    if rows:
        heading = [
            "task",
            "variant",
            "metric",
            "now",
            "reference",
            "difference",
            "bounds",
            "verdict",
        ]
        lines += [*_table(heading, rows), ""]
    for task, part in result.tasks.items():
        lines += _of_task(task, part, settings)
    drawn = pictures.characters if terminal else pictures.mermaid
    lines += drawn(result, settings)
    return "\n".join(lines).rstrip() + "\n"


def _margins(result: Result, settings: GateConfig) -> str:
    """The margin in the unit of each task's metric: `margin 1 points`."""
    amounts = {part.metric.show_amount(settings.margin) for part in result.tasks.values()}
    return f"margin {' or '.join(sorted(amounts))}"


def _row(task: str, check: Check, settings: GateConfig) -> list[str]:
    name = check.variant
    if check.reference != check.variant:
        name += f" for {check.reference}"
    verdict = f"{MARK[check.verdict]} {check.verdict}"
    difference, metric = check.overall, check.metric
    if difference is None:
        return [task, name, metric.title, "", "", "", "", verdict]
    low, high = difference.bounds(settings.alpha)
    return [
        task,
        name,
        metric.title,
        metric.show(difference.candidate),
        metric.show(difference.reference),
        metric.show_difference(difference.value),
        f"{metric.difference(low)} to {metric.difference(high)}",
        verdict,
    ]


def _of_task(task: str, result: TaskResult, settings: GateConfig) -> list[str]:
    points = list(result.broken)
    if result.answer is not None:
        points.append(f"this study's answer: {result.answer}")
    for check in result.main:
        points += [f"{check.variant}: {reason}" for reason in check.reasons]
        points += [f"{check.variant}: {note}" for note in check.notes]
    for check in result.main[:1]:  # the same for all variants
        points += [f"data: {one.sentence}" + " **!**" * one.violated for one in check.data]
        points += _ages(check)
    points += [*result.notes, _promotion(result)]
    return [f"**{task}**", "", *(f"- {line}" for line in points), "", *_slices(result, settings)]


def _promotion(result: TaskResult) -> str:
    decision = result.promotion
    if decision.promote:
        return f"promotion: **{decision.variant}** ({decision.reason})"
    return f"promotion: none ({decision.reason})"


def _ages(check: Check) -> list[str]:
    """How old and new examples differ, where there are new ones."""
    new, known = check.slices.get("new examples"), check.slices.get("known examples")
    if new is None or known is None:
        return []

    metric = check.slice_metric
    parts = [
        f"{metric.show(part.candidate)} on {which} ({metric.show_difference(part.value)})"
        for part, which in ((known, "examples known before"), (new, "new ones"))
    ]
    return [f"{check.variant}: {metric.title} {', '.join(parts)}"]


def _slices(result: TaskResult, settings: GateConfig) -> list[str]:
    """The slices that moved most; all of them are in the JSON."""
    metric = slices.scored_by(result.metric)
    rows = []
    for check in result.main:
        worst = sorted(check.slices, key=lambda name: check.slice_gain(name).value)[:5]
        for name in worst:
            part = check.slices[name]
            fallen = name in check.fallen
            if check.slice_gain(name).value >= 0 and not fallen:
                continue
            rows.append(
                [
                    check.variant,
                    f"**{name}**" if fallen else name,
                    metric.show(part.candidate),
                    metric.show_difference(part.value),
                    f"{check.p_slices.get(name, 1.0):.2g}",
                    "❌ fell" if fallen else "",
                ]
            )
    if not rows:
        return []
    heading = ["variant", "slice", f"{metric.title} now", "difference", "p (Holm)", ""]
    margin = metric.show_amount(settings.slices.margin)
    title = f"<details><summary>Slices that did worse (margin {margin})</summary>"
    return [title, "", *_table(heading, rows), "", "</details>", ""]


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---"] * len(heading)
    return [f"| {' | '.join(map(_cell, cells))} |" for cells in (heading, rule, *rows)]


def _cell(text: str) -> str:
    """Names come from data; a bar or a line break among them would break the table."""
    return " ".join(text.split()).replace("|", "\\|")
