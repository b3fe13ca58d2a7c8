"""The gate in JSON for programs and in Markdown for the people who review a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gatewise.config import GateConfig
from gatewise.delivery.gate import pictures
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
        "tasks": {task: _task(found, settings) for task, found in result.tasks.items()},
    }


def _task(found: TaskResult, settings: GateConfig) -> dict[str, Any]:
    return {
        "metric": found.metric,
        "verdict": found.verdict,
        "broken": found.broken,
        "notes": found.notes,
        "promotion": asdict(found.promotion),
        "checks": [_check(check, settings) for check in found.checks],
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
        "data": [asdict(finding) for finding in check.data],
    }


def _difference(found: Difference | None, alpha: float) -> dict[str, Any] | None:
    if found is None:
        return None
    return {**asdict(found), "se": found.se, "bounds": list(found.bounds(alpha))}


# --- Markdown ------------------------------------------------------------------------------


def as_markdown(result: Result, settings: GateConfig, *, terminal: bool = False) -> str:
    """The verdict first, then a table, what fell, what moved, and pictures.

    Args:
        result: the gate's.
        settings: as well.
        terminal: draw in characters, for readers that draw no Mermaid.
    """
    lines = [f"## {MARK[result.verdict]} Gate: {result.verdict}", ""]
    lines += [f"Against **{result.against}**, margin {100 * settings.margin:g} points.", ""]
    rows = [
        _row(task, check, settings) for task, found in result.tasks.items() for check in found.main
    ]
    if rows:
        heading = [
            "task",
            "variant",
            "now",
            "reference",
            "difference (points)",
            "bounds",
            "verdict",
        ]
        lines += [*_table(heading, rows), ""]
    for task, found in result.tasks.items():
        lines += _of_task(task, found, settings)
    drawn = pictures.characters if terminal else pictures.mermaid
    lines += drawn(result, settings)
    return "\n".join(lines).rstrip() + "\n"


def _row(task: str, check: Check, settings: GateConfig) -> list[str]:
    found = check.overall
    name = check.variant
    if check.reference != check.variant:
        name += f" for {check.reference}"
    if found is None:
        return [task, name, "", "", "", "", f"{MARK[check.verdict]} {check.verdict}"]
    low, high = found.bounds(settings.alpha)
    return [
        task,
        name,
        f"{100 * found.candidate:.1f} %",
        f"{100 * found.reference:.1f} %",
        f"{100 * found.value:+.2f}",
        f"{100 * low:+.2f} to {100 * high:+.2f}",
        f"{MARK[check.verdict]} {check.verdict}",
    ]


def _of_task(task: str, found: TaskResult, settings: GateConfig) -> list[str]:
    said = list(found.broken)
    for check in found.main:
        said += [f"{check.variant}: {reason}" for reason in check.reasons]
        said += [f"{check.variant}: {note}" for note in check.notes]
    for check in found.main[:1]:  # the same for all variants
        said += [
            f"data: {finding.sentence}" + " **!**" * finding.violated for finding in check.data
        ]
        said += _ages(check)
    said += found.notes
    said.append(_promotion(found))
    return [f"**{task}**", "", *(f"- {line}" for line in said), "", *_slices(found, settings)]


def _promotion(found: TaskResult) -> str:
    decision = found.promotion
    if decision.promote:
        return f"promotion: **{decision.variant}** ({decision.reason})"
    return f"promotion: none ({decision.reason})"


def _ages(check: Check) -> list[str]:
    """How old and new examples differ, where there are new ones."""
    new, known = check.slices.get("new examples"), check.slices.get("known examples")
    if new is None or known is None:
        return []
    return [
        f"{check.variant}: {100 * known.candidate:.1f} % on examples known before "
        f"({100 * known.value:+.1f} points), {100 * new.candidate:.1f} % on new ones "
        f"({100 * new.value:+.1f} points)"
    ]


def _slices(found: TaskResult, settings: GateConfig) -> list[str]:
    """The slices that moved most; all of them are in the JSON."""
    rows = []
    for check in found.main:
        worst = sorted(check.slices, key=lambda name: check.slices[name].value)[:5]
        for name in worst:
            part = check.slices[name]
            fallen = name in check.fallen
            if part.value >= 0 and not fallen:
                continue
            rows.append(
                [
                    check.variant,
                    f"**{name}**" if fallen else name,
                    f"{100 * part.candidate:.1f} %",
                    f"{100 * part.value:+.1f}",
                    f"{check.p_slices.get(name, 1.0):.2g}",
                    "❌ fell" if fallen else "",
                ]
            )
    if not rows:
        return []
    heading = ["variant", "slice", "now", "difference (points)", "p (Holm)", ""]
    margin = f"{100 * settings.slices.margin:g}"
    title = f"<details><summary>Slices that did worse (margin {margin} points)</summary>"
    return [title, "", *_table(heading, rows), "", "</details>", ""]


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---"] * len(heading)
    return [f"| {' | '.join(map(_cell, cells))} |" for cells in (heading, rule, *rows)]


def _cell(text: str) -> str:
    """Names come from data; a bar or a line break among them would break the table."""
    return " ".join(text.split()).replace("|", "\\|")
