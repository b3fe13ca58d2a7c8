"""From two snapshots to a verdict: what `gatewise gate` does, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gatewise.artifacts.comparison import FILE, Comparison, TaskComparison
from gatewise.config import Study
from gatewise.config.metrics import METRICS, Metric
from gatewise.delivery.gate import (
    costs,
    drift,
    interval,
    matching,
    promotion,
    rule,
    slices,
    snapshot,
)
from gatewise.delivery.gate.costs import Cost
from gatewise.delivery.gate.promotion import Promotion
from gatewise.delivery.gate.reference import References
from gatewise.delivery.gate.rule import PASS, REGRESSION, Check
from gatewise.delivery.gate.snapshot import Snapshot
from gatewise.errors import GatewiseError
from gatewise.evidence import comparison
from gatewise.files import read_json


@dataclass
class TaskResult:
    """One task's part of the gate."""

    task: str
    metric: Metric
    verdict: str
    checks: list[Check]
    promotion: Promotion
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Data gates that need no reference and do not hold."""
    answer: str | None = None
    """What the study says to take, if it was compared."""

    @property
    def main(self) -> list[Check]:
        """The checks that the merge hangs on."""
        return [check for check in self.checks if check.must_pass]


@dataclass
class Result:
    """The gate's result over all tasks."""

    against: str
    """The references, in words."""
    verdict: str
    tasks: dict[str, TaskResult]


def assess(study: Study, references: References, root: str | Path = ".") -> Result:
    """Put every task of the study through the gate.

    Args:
        study: the study whose runs lie below `root`.
        references: what its runs are compared with.
        root: the project.

    Raises:
        GatewiseError: something is missing, or like cannot be compared with like.
    """
    root = Path(root)
    compared = Comparison.read_if_made(root / "reports" / FILE)
    results: dict[str, TaskResult] = {}
    for task in study.tasks:
        candidates = _candidates(study, task, root)
        known = compared.tasks.get(task) if compared is not None else None
        succession = _succession(study, task, candidates, references, known)
        results[task] = TaskResult(
            task,
            METRICS[study.tasks[task].metric],
            PASS,
            _checks(study, task, candidates, references, succession),
            Promotion(task, False, None, "nothing was decided"),
            [*_notes(task, candidates, references), *succession.notes],
            _certificate(task, root),
            study_answer(task, compared),
        )
    # One family of tests over all tasks: corrections need all of them.
    rule.decide([check for result in results.values() for check in result.checks], study.gate)
    for task, result in results.items():
        verdicts = [check.verdict for check in result.main]
        result.verdict = rule.worst(verdicts + [REGRESSION] * bool(result.broken))
        result.promotion = _promotion(study, task, result, references, root)
    verdict = rule.worst([result.verdict for result in results.values()])
    return Result(references.name, verdict, results)


def study_answer(task: str, compared: Comparison | None) -> str | None:
    """What the study says to take, if it was compared."""
    known = compared.tasks.get(task) if compared is not None else None
    return known.answer.sentence if known is not None and known.answer is not None else None


def _candidates(study: Study, task: str, root: Path) -> dict[str, Snapshot]:
    """The study's variants of a task, with the seeds of the study."""
    stored = snapshot.read(root, task, "this study")
    candidates = {variant: stored[variant] for variant in study.variants if variant in stored}
    if not candidates:
        raise GatewiseError(f"{root}/runs/{task}: no finished run; run `dvc repro`")
    for variant, candidate in candidates.items():
        for record in candidate.records.values():
            if record.data.digest != candidate.card.digest:
                raise GatewiseError(
                    f"runs/{record.name} was trained on other data than data/prepared/{task} "
                    "holds; run `dvc repro`"
                )
        missing = sorted(set(study.seeds_of(task, variant)) - candidate.members.keys())
        if missing:
            raise GatewiseError(
                f"runs/{task}/{variant}: seed {', '.join(map(str, missing))} has no finished "
                "run; run `dvc repro`"
            )
    return {
        variant: Snapshot(
            candidate.origin,
            root,
            task,
            variant,
            {seed: candidate.members[seed] for seed in study.seeds_of(task, variant)},
        )
        for variant, candidate in candidates.items()
    }


@dataclass(frozen=True)
class _Succession:
    """Who has to stand up to the champion, and why it is not the champion's own variant."""

    variant: str | None
    notes: list[str]


def _succession(
    study: Study,
    task: str,
    candidates: Mapping[str, Snapshot],
    references: References,
    compared: TaskComparison | None,
) -> _Succession:
    """Who must pass: the champion's variant, or where it is gone, what the study says to take."""
    known = references.of(task) if references.is_champion else {}
    if not known:
        return _Succession(None, [])
    (champion,) = known.values()
    if champion.variant in candidates:
        return _Succession(champion.variant, [])
    if compared is not None and compared.answer and compared.answer.choice in candidates:
        variant, reason = compared.answer.choice, "the answer's choice"
    else:
        variant = _best(candidates, METRICS[study.tasks[task].metric])
        reason = "the best on validation, there being no answer"
    return _Succession(variant, [f"{variant} stands in for {champion.variant}: {reason}"])


def _checks(
    study: Study,
    task: str,
    candidates: Mapping[str, Snapshot],
    references: References,
    succession: _Succession,
) -> list[Check]:
    known = references.of(task)
    if not known:
        return []
    if references.is_champion:
        (champion,) = known.values()
        return [
            _check(study, candidate, champion, variant == succession.variant)
            for variant, candidate in candidates.items()
        ]
    shared = [variant for variant in candidates if variant in known]
    if not shared:
        raise GatewiseError(
            f"{references.name}: none of its variants of {task} ({', '.join(known)}) is in "
            "this study"
        )
    return [_check(study, candidates[variant], known[variant], True) for variant in shared]


def _best(candidates: Mapping[str, Snapshot], metric: Metric) -> str:
    """The variant that scores best on validation."""

    def merit(variant: str) -> float:
        records = candidates[variant].records.values()
        mean = sum(r.metrics["validation"][metric.name] for r in records) / len(records)
        return metric.gain(mean)

    return max(candidates, key=merit)


def _check(study: Study, candidate: Snapshot, reference: Snapshot, must_pass: bool) -> Check:
    """Everything that is measured; `rule` says what follows."""
    settings, metric = study.gate, METRICS[study.tasks[candidate.task].metric]
    paired = matching.pair(candidate, reference)
    parts = {
        name: interval.difference(chosen, slices.scored_by(metric), settings.resamples)
        for name, chosen in slices.cut(paired.seeds, paired.labels, settings.slices)
    }
    return Check(
        candidate.task,
        candidate.variant,
        reference.variant,
        reference.origin,
        metric,
        must_pass,
        overall=interval.difference(paired.seeds, metric, settings.resamples),
        slices={name: part for name, part in parts.items() if part is not None},
        budgets=costs.check(candidate, reference, settings.budgets),
        data=drift.check(candidate, reference, settings.data),
        notes=paired.notes,
    )


def _notes(task: str, candidates: Mapping[str, Snapshot], references: References) -> list[str]:
    known = references.of(task)
    if known:
        gone = sorted(set(known) - set(candidates))
        return [f"{', '.join(gone)}: in {references.name}, but no longer studied"] * bool(gone)
    if references.is_champion:
        return [f"{task} has no champion yet: there is nothing to compare with"]
    return [f"{references.name} has no runs of {task}: there is nothing to compare with"]


def _certificate(task: str, root: Path) -> list[str]:
    path = root / "reports" / "data" / f"{task}.json"
    if not path.is_file():
        raise GatewiseError(f"{path}: missing; run `dvc pull` or `dvc repro prepare`")
    if read_json(path).get("certified") is False:
        return [f"the certificate of {task} is not clean: see {path}"]
    return []


def _promotion(
    study: Study, task: str, result: TaskResult, references: References, root: Path
) -> Promotion:
    if not references.is_champion:
        return Promotion(task, False, None, "only a gate against the champion can promote")
    if not result.checks:
        if result.verdict != PASS:
            return Promotion(task, False, None, "; ".join(result.broken))
        return promotion.first(task, _compared(study, root).task(task))
    candidates = snapshot.read(root, task, "this study")
    (champion,) = references.of(task).values()
    # The champion itself may be among the candidates: then there is nothing to replace.
    keys = [record.key for one in candidates.values() for record in one.records.values()]
    present = references.keys.get(task, "") in keys and result.verdict == PASS
    decision = promotion.by_gate(
        task,
        [c for c in result.checks if not (present and c.variant == champion.variant)],
        result.verdict,
        {variant: Cost.of(candidate) for variant, candidate in candidates.items()},
        Cost.of(champion),
        study.gate,
        study.compare.rope,
    )
    if present and not decision.promote:
        return replace(decision, reason="the champion is one of these very runs")
    return decision


def _compared(study: Study, root: Path) -> Comparison:
    """The study's comparison, made here where it was not before."""
    compared = Comparison.read_if_made(root / "reports" / FILE)
    return compared or comparison.compare(study, comparison.gather(study, root))
