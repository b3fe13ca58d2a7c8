"""From finished runs to verdicts: `reports/comparison.json`.

`gather` reads what the stages before left, `compare` weighs it. The verdict rule stands in
`gatewise.evidence.pairs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.artifacts import runs, tuned
from gatewise.artifacts.baselines import BaselineReport
from gatewise.artifacts.comparison import Comparison, TaskComparison
from gatewise.artifacts.context import ContextReport
from gatewise.artifacts.costs import CostReport
from gatewise.artifacts.prepared import CARD, TaskCard
from gatewise.artifacts.probes import ProbeReport
from gatewise.artifacts.tuned import Tuned
from gatewise.config import Study
from gatewise.errors import GatewiseError
from gatewise.evidence import claims, pairs, prediction_counts, ranking, statistics, task_evidence
from gatewise.evidence.prediction_counts import PredictionCounts
from gatewise.evidence.task_evidence import TaskEvidence

if TYPE_CHECKING:
    import pandas as pd


def compare(
    study: Study,
    evidence: Mapping[str, TaskEvidence],
    probes: Mapping[str, ProbeReport] | None = None,
) -> Comparison:
    """The comparison of all runs of `study`.

    Args:
        study: what was declared: tasks, variants, seeds, primary pairs.
        evidence: what is known of each task; runs outside the study are ignored.
        probes: what `read_probes` gives, for claims about memory.

    Raises:
        GatewiseError: there is no run of this study at all.
    """
    if not any(evidence[task].records for task in study.tasks if task in evidence):
        raise GatewiseError("runs/: no finished run of this study; run `dvc repro train`")
    known = {task: evidence.get(task, TaskEvidence([])) for task in study.tasks}
    weighed = {task: task_evidence.weigh(study, task, known[task]) for task in study.tasks}
    measured = [(one.metric, pair) for one in weighed.values() for pair in one.pairs]
    # One after another, as measured: Holm's method needs the pairs of all tasks together.
    judged = iter(pairs.judge(measured, study.compare, study.looks))
    tasks = {
        task: task_evidence.entry(study, task, known[task], one, [next(judged) for _ in one.pairs])
        for task, one in weighed.items()
    }
    family = pairs.family(pair for _, pair in measured)
    comparison = Comparison(
        alpha=study.compare.alpha,
        rope=study.compare.rope,
        power=study.compare.power,
        looks=None if study.looks is None else tuple(study.looks),
        primary_tests=family,
        warnings=tuple(_power_warnings(study, family)),
        tasks=tasks,
        across=ranking.rank(gains(tasks), study.compare.alpha),
        claims=(),
        versions=_versions(evidence),
        study=study.model_dump(mode="json", exclude={"tracking", "execution", "gate"}),
    )
    return comparison.model_copy(update={"claims": claims.judge(comparison, probes or {})})


def gains(tasks: Mapping[str, TaskComparison]) -> dict[str, dict[str, float]]:
    """Mean scores turned so that higher is better on every task."""
    return {
        name: {
            variant: task.metric.definition.gain(summary.mean)
            for variant, summary in task.variants.items()
        }
        for name, task in tasks.items()
    }


def _versions(evidence: Mapping[str, TaskEvidence]) -> dict[str, tuple[str, ...]]:
    numbers: dict[str, set[str]] = {}
    for task in evidence.values():
        for record in task.records:
            for library, number in record.versions.items():
                numbers.setdefault(library, set()).add(number)
            numbers.setdefault("instructions", set()).add(record.instructions)
    return {library: tuple(sorted(several)) for library, several in sorted(numbers.items())}


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
        GatewiseError: a run's predictions are missing or unreadable, or runs of a task computed
            with different instructions.
    """
    root = Path(root)
    return {task: gather_task(study, task, root) for task in study.tasks}


def gather_task(study: Study, task: str, root: str | Path = ".") -> TaskEvidence:
    """As `gather`, of one task alone.

    Raises:
        GatewiseError: as there.
    """
    root = Path(root)
    own = [
        (folder, record)
        for folder, record in runs.find(root / "runs", task)
        if record.variant in study.variants and record.seed in study.seeds_of(task, record.variant)
    ]
    _check_instructions(task, [record for _, record in own])
    predictions: dict[str, dict[int, PredictionCounts]] = {}
    for folder, record in own:
        counts = prediction_counts.read(folder, record.predictions_sha256)
        predictions.setdefault(record.variant, {})[record.seed] = counts
    return TaskEvidence(
        records=[record for _, record in own],
        cost=CostReport.read_if_made(root / "reports" / "cost" / f"{task}.json"),
        card=_card(root / "data" / "prepared" / task / CARD),
        baselines=BaselineReport.read_if_made(root / "reports" / "baselines" / f"{task}.json"),
        context=ContextReport.read_if_made(root / "reports" / "context" / f"{task}.json"),
        predictions=predictions,
        curves=_curves(own),
        diverged={
            variant: runs.read_diverged(root / "runs" / task / variant)
            for variant in study.variants
        },
        tuned=_tuned(study, task, root),
    )


def read_probes(variants: Iterable[str], reports: str | Path = "reports") -> dict[str, ProbeReport]:
    """What the `probe` stage found for `variants`; those that it has not run for are left out."""
    read = {
        name: ProbeReport.read_if_made(Path(reports) / "probes" / f"{name}.json")
        for name in variants
    }
    return {name: report for name, report in read.items() if report is not None}


def _check_instructions(task: str, records: Sequence[runs.RunRecord]) -> None:
    """Refuse to pair runs whose differences are partly those of what computed them."""
    kinds: dict[str, str] = {}
    for record in records:
        kinds.setdefault(record.instructions, record.name)
    if len(kinds) > 1:
        examples = ", ".join(f"{name} is {kind}" for kind, name in sorted(kinds.items()))
        raise GatewiseError(
            f"runs/{task}: its runs computed with different instructions ({examples}), so they "
            "are no pairs; run `dvc repro train`"
        )


def _tuned(study: Study, task: str, root: Path) -> dict[str, Tuned]:
    """What the `tune` stage left for the task's variants, where it has run."""
    read = {
        variant: Tuned.read_if_made(tuned.path(task, variant, root / "data" / "tuned"))
        for variant in study.variants
    }
    return {variant: one for variant, one in read.items() if one is not None}


def _card(path: Path) -> TaskCard | None:
    return TaskCard.read(path) if path.is_file() else None


def _curves(members: Sequence[tuple[Path, runs.RunRecord]]) -> pd.DataFrame | None:
    import pandas as pd

    frames = [
        runs.read_curves(folder).assign(variant=record.variant, seed=record.seed)
        for folder, record in members
    ]
    return pd.concat(frames, ignore_index=True) if frames else None
