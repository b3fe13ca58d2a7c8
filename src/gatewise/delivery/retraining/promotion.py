"""Moving champions on the gate's word, with the evidence as tags."""

from __future__ import annotations

from typing import Any

from gatewise.config import Study
from gatewise.delivery.gate import reference, snapshot
from gatewise.delivery.gate.assessment import Result, TaskResult
from gatewise.errors import GatewiseError
from gatewise.files import digest
from gatewise.tracking import origin, registry, verdicts
from gatewise.tracking.store import Store


def promote(study: Study, result: Result) -> dict[str, dict[str, Any]]:
    """Give the champion's alias to whatever the gate says deserves it.

    Nothing moves unless every task passed: what is released together is judged together.

    Returns:
        By task: `promoted`, `version`, `variant`, `reason`.
    """
    store = Store(study.tracking)
    found = {}
    for task, gated in result.tasks.items():
        decision = gated.promotion
        models = registry.Registry(store, task)
        before = models.version(registry.CHAMPION)
        moved = decision.promote and result.verdict == "pass"
        number = str(before.version) if before is not None else None
        if moved:
            number = _crown(models, study, gated)
        reason = decision.reason
        if decision.promote and not moved:
            reason = f"another task failed the gate; otherwise: {reason}"
        found[task] = {
            "promoted": moved,
            "version": number,
            "variant": decision.variant,
            "reason": reason,
            "previous": str(before.version) if before is not None else None,
        }
    return found


def _crown(models: registry.Registry, study: Study, gated: TaskResult) -> str:
    decision = gated.promotion
    assert decision.variant is not None  # noqa: S101
    candidate = snapshot.read(".", gated.task, "this study")[decision.variant]
    comparison = verdicts.read("reports")
    if comparison is None:
        raise GatewiseError("reports/comparison.json: missing; run `dvc repro compare`")
    record = candidate.best(study.tasks[gated.task].metric)
    evidence = registry.evidence(comparison, record) | {
        "gatewise.gate": gated.verdict,
        "gatewise.lock": digest(origin.locked_stages()),
    }
    return reference.crown(models, candidate, record, evidence, decision.reason)
