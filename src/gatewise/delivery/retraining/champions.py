"""Moving champions on the gate's word, with the evidence as tags."""

from __future__ import annotations

from dataclasses import dataclass

from gatewise.artifacts import runs
from gatewise.artifacts.comparison import Comparison
from gatewise.config import Study
from gatewise.delivery.gate import reference, snapshot
from gatewise.delivery.gate.assessment import Result, TaskResult
from gatewise.delivery.gate.rule import PASS
from gatewise.files import digest
from gatewise.tracking import origin, registry
from gatewise.tracking.store import Store


@dataclass(frozen=True)
class Outcome:
    """What became of a task's champion."""

    promoted: bool
    """Whether another version is champion now."""
    version: str | None
    """Of the champion now; none where there is no champion."""
    variant: str | None
    """That the gate would promote."""
    reason: str
    previous: str | None
    """Version of the champion before."""


def promote(study: Study, result: Result) -> dict[str, Outcome]:
    """Give the champion's alias to whatever the gate says deserves it.

    Nothing moves unless every task passed: what is released together is judged together.

    Returns:
        Outcomes by task.

    Raises:
        GatewiseError: there is no comparison, no logged model, or no registry that answers.
    """
    store = Store(study.tracking)
    return {
        task: _promote(registry.Registry(store, task), study, gated, result.verdict == PASS)
        for task, gated in result.tasks.items()
    }


def _promote(
    models: registry.Registry, study: Study, gated: TaskResult, all_passed: bool
) -> Outcome:
    decision = gated.promotion
    champion = models.version(registry.CHAMPION)
    previous = None if champion is None else str(champion.version)
    if decision.promote and all_passed:
        number = _replace(models, study, gated)
        return Outcome(True, number, decision.variant, decision.reason, previous)
    reason = decision.reason
    if decision.promote:
        reason = f"another task failed the gate; otherwise: {reason}"
    return Outcome(False, previous, decision.variant, reason, previous)


def _replace(models: registry.Registry, study: Study, gated: TaskResult) -> str:
    """Make the variant that the gate chose champion; gives the version."""
    decision = gated.promotion
    assert decision.variant is not None  # noqa: S101
    candidate = snapshot.read(".", gated.task, "this study")[decision.variant]
    for seed, folder in candidate.members.items():
        runs.check_present(folder, candidate.records[seed])
    record = candidate.best(study.tasks[gated.task].metric)
    comparison = Comparison.read("reports/comparison.json").task(gated.task)
    evidence = registry.evidence(comparison, record) | {
        "gatewise.gate": gated.verdict,
        "gatewise.lock": digest(origin.locked_stages()),
    }
    return reference.promote(models, candidate, record, evidence, decision.reason)
