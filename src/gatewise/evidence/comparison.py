"""From finished runs to verdicts: `reports/comparison.json`.

## The verdict rule

For a pair `(a, b)` of one task, over the seeds that both finished:

1. **equivalent**, if two one-sided tests place the difference within +-`compare.rope`;
2. else **a** or **b**, whichever scores higher on average, if the sign-flip test is
   significant;
3. else **undecided**, with the number of seeds that are still needed.

Both tests are exact and run at level `compare.alpha`. For the pairs declared in
`compare.primary` their p-values are corrected by Holm's method, each kind over the primary
pairs of all tasks together. The other pairs are secondary: uncorrected, labelled
exploratory, a reason to declare a pair primary in the next study and no more.

Equivalence is asked first because a difference can be both real and too small to matter.
Where seeds are added in rounds, both tests run at the level that `gatewise.evidence.sequential`
grants to each round, and a decided pair stays decided.

The seeds decide, on the test set at hand. How far other speakers or films would move the
difference is reported apart (`test_noise`), never folded into the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatewise.artifacts import runs
from gatewise.artifacts.prepared import CARD
from gatewise.config import CompareConfig, Study
from gatewise.errors import GatewiseError
from gatewise.evidence import (
    budget_sensitivity,
    claims,
    ranking,
    sequential,
    statistics,
    task_evidence,
)
from gatewise.evidence.prediction_counts import Outcome
from gatewise.evidence.prediction_counts import read as read_outcome
from gatewise.evidence.task_evidence import TaskEvidence
from gatewise.files import read_json

if TYPE_CHECKING:
    import pandas as pd


def decide(
    difference: float, p_value: float | None, p_equivalence: float | None, alpha: float
) -> str:
    """Apply the verdict rule (see the module) to corrected p-values.

    Returns:
        `a`, `b`, `equivalent` or `undecided`.
    """
    if p_equivalence is not None and p_equivalence <= alpha:
        return "equivalent"
    if p_value is not None and p_value <= alpha:
        return "a" if difference > 0 else "b"
    return "undecided"


def compare(
    study: Study,
    evidence: Mapping[str, TaskEvidence],
    probes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The comparison of all runs of `study`, as plain data for `reports/comparison.json`.

    Args:
        study: what was declared: tasks, variants, seeds, primary pairs.
        evidence: what is known of each task; runs outside the study are ignored.
        probes: what `read_probes` gives, for claims about memory.

    Raises:
        GatewiseError: there is no run of this study at all.
    """
    if not any(evidence[task].records for task in study.tasks if task in evidence):
        raise GatewiseError("runs/: no finished run of this study; run `dvc repro train`")
    settings = study.compare
    tasks = {
        task: task_evidence.weigh(study, task, evidence.get(task, TaskEvidence([])))
        for task in study.tasks
    }
    pairs = [pair for task in tasks.values() for pair in task["pairs"]]
    primary = [pair for pair in pairs if pair["primary"]]
    family = sum(pair["p_value"] is not None for pair in primary)
    _correct(primary)
    for pair in pairs:
        _judge(pair, settings)
    if study.looks is not None:
        _judge_in_rounds(primary, study.looks, settings)
    for pair in pairs:
        pair["seeds_needed"] = _seeds_needed(pair, settings, family if pair["primary"] else 1)
    for task in tasks.values():
        task["budgets"] = budget_sensitivity.across_budgets(study.variants, task["pairs"])
    means = {
        task: {variant: cells["mean"] for variant, cells in found["variants"].items()}
        for task, found in tasks.items()
    }
    result: dict[str, Any] = {
        "alpha": settings.alpha,
        "rope": settings.rope,
        "power": settings.power,
        "looks": study.looks,
        "primary_tests": family,
        "warnings": _power_warnings(study, family),
        "tasks": tasks,
        "across": ranking.rank(means, settings.alpha),
        "claims": [],
        "versions": _versions(evidence),
        "study": study.model_dump(mode="json", exclude={"tracking", "execution", "gate"}),
    }
    result["claims"] = claims.judge(result, probes or {})
    return result


def more_seeds(comparison: Mapping[str, Any]) -> int | None:
    """Seeds to have run by the next look; `None` when all is decided or the cap is met.

    Args:
        comparison: what `compare` gave.
    """
    primary = [pair for t in comparison["tasks"].values() for pair in t["pairs"] if pair["primary"]]
    if all(pair["verdict"] != "undecided" for pair in primary):
        return None
    done = max(len(task["seeds"]) for task in comparison["tasks"].values())
    return next((count for count in comparison["looks"] or () if count > done), None)


def _versions(evidence: Mapping[str, TaskEvidence]) -> dict[str, list[str]]:
    """Versions that the runs were made with; more than one of a library is worth seeing."""
    found: dict[str, set[str]] = {}
    for task in evidence.values():
        for record in task.records:
            for library, number in record.versions.items():
                found.setdefault(library, set()).add(number)
    return {library: sorted(numbers) for library, numbers in sorted(found.items())}


def _correct(primary: Sequence[dict[str, Any]]) -> None:
    """Holm's correction, each kind of test over the primary pairs of all tasks."""
    for kind in ("p_value", "p_equivalence"):
        corrected = statistics.holm([pair[kind] for pair in primary])
        for pair, p in zip(primary, corrected, strict=True):
            pair[f"{kind}_holm"] = p


def _judge(pair: dict[str, Any], settings: CompareConfig) -> None:
    if pair["difference"] is None:
        return
    suffix = "_holm" if pair["primary"] else ""
    p_value, p_equivalence = pair[f"p_value{suffix}"], pair[f"p_equivalence{suffix}"]
    side = decide(pair["difference"], p_value, p_equivalence, settings.alpha)
    pair["verdict"] = pair.get(side, side)


def _judge_in_rounds(
    primary: Sequence[dict[str, Any]], looks: Sequence[int], settings: CompareConfig
) -> None:
    differences = {str(i): pair["differences"] for i, pair in enumerate(primary)}
    decisions = sequential.decide(differences, looks, settings.rope, settings.alpha)
    for i, pair in enumerate(primary):
        decision = decisions[str(i)]
        pair["verdict"] = pair.get(decision.verdict, decision.verdict)
        pair["decided_at"] = decision.look


def _seeds_needed(pair: Mapping[str, Any], settings: CompareConfig, family: int) -> int | None:
    """Seeds to add before an undecided pair is decided with the wanted power; else `None`."""
    if pair["verdict"] != "undecided" or pair["std"] is None:
        return None
    total = statistics.seeds_for_power(
        pair["std"], settings.rope, settings.alpha / max(family, 1), settings.power
    )
    return None if total is None else max(1, total - len(pair["seeds"]))


def _power_warnings(study: Study, family: int) -> list[str]:
    """Say so where no result whatsoever could have been significant."""
    alpha = study.compare.alpha / max(family, 1)
    seeds = len(study.seed_list)
    if not family or statistics.smallest_p(seeds) <= alpha:
        return []
    return [
        f"{seeds} seeds cannot make all {family} primary pairs significant: the smallest "
        f"possible p-value is {statistics.smallest_p(seeds):.3g}, Holm's first threshold is "
        f"{alpha:.3g}. {statistics.fewest_seeds(alpha)} seeds can."
    ]


# --- reading -------------------------------------------------------------------------------


def gather(study: Study, root: str | Path = ".") -> dict[str, TaskEvidence]:
    """Everything on disk that bears on the study, each file read once.

    Raises:
        GatewiseError: a run's predictions are missing or unreadable.
    """
    root = Path(root)
    wanted = [
        (folder, record)
        for folder, record in runs.find(root / "runs")
        if record.task in study.tasks
        and record.variant in study.variants
        and record.seed in study.seed_list
    ]
    found = {}
    for task in study.tasks:
        mine = [(folder, record) for folder, record in wanted if record.task == task]
        outcomes: dict[str, dict[int, Outcome]] = {}
        for folder, record in mine:
            outcomes.setdefault(record.variant, {})[record.seed] = read_outcome(folder)
        found[task] = TaskEvidence(
            records=[record for _, record in mine],
            cost=_json(root / "reports" / "cost" / f"{task}.json"),
            card=_json(root / "data" / "prepared" / task / CARD),
            baselines=_json(root / "reports" / "baselines" / f"{task}.json"),
            outcomes=outcomes,
            curves=_curves(mine),
        )
    return found


def _curves(mine: Sequence[tuple[Path, runs.RunRecord]]) -> pd.DataFrame | None:
    import pandas as pd

    frames = [
        runs.read_curves(folder).assign(variant=record.variant, seed=record.seed)
        for folder, record in mine
    ]
    return pd.concat(frames, ignore_index=True) if frames else None


def read_probes(variants: Iterable[str], reports: str | Path = "reports") -> dict[str, Any]:
    """What the `probe` stage found for `variants`, together; empty if it has not run."""
    found = {name: _json(Path(reports) / "probes" / f"{name}.json") for name in variants}
    found = {name: probed for name, probed in found.items() if probed}
    if not found:
        return {}
    common = {key: next(iter(found.values()))[key] for key in ("titles", "note", "settings")}
    kept = ("probes", "gradient")
    return {**common, "variants": {v: {k: one[k] for k in kept} for v, one in found.items()}}


def _json(path: Path) -> dict[str, Any]:
    """A file that may not have been made; nothing is known then."""
    found: dict[str, Any] = read_json(path) if path.is_file() else {}
    return found
