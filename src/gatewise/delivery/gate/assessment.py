"""From two sides to a verdict: what `gatewise gate` does, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gatewise.config import Study
from gatewise.delivery.gate import costs, drift, interval, matching, rule, slices, snapshot
from gatewise.delivery.gate.reference import Against
from gatewise.delivery.gate.rule import PASS, REGRESSION, UNDECIDED, Check, Promotion
from gatewise.delivery.gate.snapshot import Side
from gatewise.errors import GatewiseError
from gatewise.evidence import comparison as comparing
from gatewise.files import read_json
from gatewise.tracking.registry import leader


@dataclass
class TaskResult:
    """One task's part of the gate."""

    task: str
    metric: str
    verdict: str
    checks: list[Check]
    promotion: Promotion
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Data gates that need no reference and do not hold."""

    @property
    def main(self) -> list[Check]:
        """The checks that the merge hangs on."""
        return [check for check in self.checks if check.must_pass]


@dataclass
class Result:
    """The gate's result over all tasks."""

    against: str
    verdict: str
    tasks: dict[str, TaskResult]


def weigh(study: Study, against: Against, root: str | Path = ".") -> Result:
    """Put every task of the study through the gate.

    Args:
        study: the study whose runs lie below `root`.
        against: the references.
        root: the project.

    Raises:
        GatewiseError: something is missing, or like cannot be compared with like.
    """
    root = Path(root)
    found: dict[str, TaskResult] = {}
    for task in study.tasks:
        candidates = _candidates(study, task, root)
        references = against.sides.get(task, {})
        checks = _checks(study, task, candidates, references, against)
        found[task] = TaskResult(
            task,
            study.tasks[task].metric,
            PASS,
            checks,
            Promotion(task, False, None, "nothing was decided"),
            _notes(task, candidates, references, against),
            _certificate(task, root),
        )
    # One family of tests over all tasks: corrections need all of them.
    rule.decide([check for result in found.values() for check in result.checks], study.gate)
    for task, result in found.items():
        verdicts = [check.verdict for check in result.checks if check.must_pass]
        verdicts += [REGRESSION] * bool(result.broken)
        result.verdict = _worst(verdicts)
        result.promotion = _promotion(study, task, result, against, root)
    return Result(against.name, _worst([result.verdict for result in found.values()]), found)


def _worst(verdicts: list[str]) -> str:
    return next((v for v in (REGRESSION, UNDECIDED) if v in verdicts), PASS)


def _candidates(study: Study, task: str, root: Path) -> dict[str, Side]:
    found = snapshot.read(root, task, "this study")
    chosen = {variant: found[variant] for variant in study.variants if variant in found}
    if not chosen:
        raise GatewiseError(f"{root}/runs/{task}: no finished run; run `dvc repro`")
    for variant, candidate in chosen.items():
        for record in candidate.records.values():
            if record.data.get("digest") != candidate.card.digest:
                raise GatewiseError(
                    f"runs/{record.name} was trained on other data than data/prepared/{task} "
                    "holds; run `dvc repro`"
                )
        missing = sorted(set(study.seed_list) - candidate.members.keys())
        if missing:
            raise GatewiseError(
                f"runs/{task}/{variant}: seed {', '.join(map(str, missing))} has no finished "
                "run; run `dvc repro`"
            )
        kept = {seed: candidate.members[seed] for seed in study.seed_list}
        chosen[variant] = Side(candidate.origin, root, task, variant, kept)
    return chosen


def _checks(
    study: Study,
    task: str,
    candidates: Mapping[str, Side],
    references: Mapping[str, Side],
    against: Against,
) -> list[Check]:
    if not references:
        return []
    if not against.is_champion:
        shared = [variant for variant in candidates if variant in references]
        if not shared:
            raise GatewiseError(
                f"{against.name}: none of its variants of {task} ({', '.join(references)}) is in "
                "this study"
            )
        return [_check(study, candidates[variant], references[variant], True) for variant in shared]
    (holder,) = references.values()
    heir = holder.variant if holder.variant in candidates else _best(candidates, study, task)
    return [
        _check(study, candidate, holder, variant == heir)
        for variant, candidate in candidates.items()
    ]


def _best(candidates: Mapping[str, Side], study: Study, task: str) -> str:
    """Who must pass where the champion's variant is no longer studied: best on validation."""
    metric = study.tasks[task].metric

    def mean(variant: str) -> float:
        records = candidates[variant].records.values()
        return sum(r.metrics["validation"][metric] for r in records) / len(records)

    return max(candidates, key=mean)


def _check(study: Study, candidate: Side, reference: Side, must_pass: bool) -> Check:
    settings = study.gate
    metric = study.tasks[candidate.task].metric
    check = Check(
        candidate.task, candidate.variant, reference.variant, reference.origin, metric, must_pass
    )
    check.data = drift.check(candidate, reference, settings.data)
    check.budgets = costs.check(candidate, reference, settings.budgets)
    paired = matching.pair(candidate, reference)
    check.notes = paired.notes
    check.overall = interval.difference(paired.seeds, metric, settings.resamples)
    for name, chosen in slices.cut(paired.seeds, paired.labels, settings.slices):
        found = interval.difference(chosen, "accuracy", settings.resamples)
        if found is not None:
            check.slices[name] = found
    return check


def _notes(
    task: str,
    candidates: Mapping[str, Side],
    references: Mapping[str, Side],
    against: Against,
) -> list[str]:
    if references:
        gone = sorted(set(references) - set(candidates))
        return [f"{', '.join(gone)}: in {against.name}, but no longer studied"] * bool(gone)
    if against.is_champion:
        return [f"{task} has no champion yet: there is nothing to compare with"]
    return [f"{against.name} has no runs of {task}: there is nothing to compare with"]


def _certificate(task: str, root: Path) -> list[str]:
    path = root / "reports" / "data" / f"{task}.json"
    if not path.is_file():
        raise GatewiseError(f"{path}: missing; run `dvc pull` or `dvc repro prepare`")
    if read_json(path).get("certified") is False:
        return [f"the certificate of {task} is not clean: see {path}"]
    return []


def _promotion(
    study: Study, task: str, result: TaskResult, against: Against, root: Path
) -> Promotion:
    if not against.is_champion:
        return Promotion(task, False, None, "only a gate against the champion can promote")
    if not result.checks:
        if result.verdict != PASS:
            return Promotion(task, False, None, "; ".join(result.broken))
        return Promotion(task, True, _first(study, task, root), "there was no champion")
    candidates = snapshot.read(root, task, "this study")
    # The champion itself may be among the candidates: then there is nothing to replace.
    key = against.keys.get(task, "")
    mine = [r.key for s in candidates.values() for r in s.records.values()]
    checks, held = result.checks, key in mine and result.verdict == PASS
    if held:
        (holder,) = against.sides[task]
        checks = [check for check in checks if check.variant != holder]
    spent = _costs(candidates, against, task)
    found = rule.promotion(task, checks, result.verdict, spent, study.gate, study.compare.rope)
    if held and not found.promote:
        return Promotion(task, False, None, "the champion is one of these very runs")
    return found


def _costs(
    candidates: Mapping[str, Side], against: Against, task: str
) -> dict[str, tuple[float, float]]:
    (holder,) = against.sides[task].values()
    everyone = {**candidates, "": holder}
    records = {name: next(iter(s.records.values())) for name, s in everyone.items()}
    return {name: (r.macs_per_step, r.parameters) for name, r in records.items()}


def _first(study: Study, task: str, root: Path) -> str:
    """Who becomes the first champion: the comparison's best, on the test set."""
    path = root / "reports" / "comparison.json"
    if path.is_file():
        return leader(read_json(path), task)
    result = comparing.compare(study, comparing.gather(study, root))
    return leader(result, task)
