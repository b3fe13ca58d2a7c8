"""All seeds of one variant on one task: the work of the `train` stage."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Protocol

from gatewise.artifacts import software
from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.prepared import read_digest
from gatewise.artifacts.runs import DIVERGED, RunRecord
from gatewise.artifacts.tuned import Tuned, of_seed
from gatewise.errors import GatewiseError
from gatewise.execution.dispatch import Dispatch
from gatewise.execution.finished_runs import FinishedRuns, run_key
from gatewise.execution.job_folders import JobFolders
from gatewise.execution.progress import Display
from gatewise.execution.workers import Event
from gatewise.files import replacing, write_json
from gatewise.training.job import Job


class Observer(Protocol):
    """Something that is notified of how runs are doing, and can do nothing to them."""

    def run_started(self, seed: int, key: str, params: dict[str, Any]) -> None:
        """A run begins."""

    def epoch(self, seed: int, epoch: int, values: dict[str, float]) -> None:
        """An epoch, counted from 1, has ended."""

    def run_finished(self, seed: int, folder: Path) -> None:
        """A run is finished (or was before) and its folder is whole."""

    def run_failed(self, seed: int, reason: str) -> None:
        """A run failed."""


def train_variant(
    plan: RunPlan,
    prepared: Path,
    target: Path,
    dispatch: Dispatch,
    *,
    tuned: Tuned | None = None,
    finished: FinishedRuns | None = None,
    observers: Sequence[Observer] = (),
) -> list[RunRecord]:
    """Train the seeds that are not finished yet and write `target/seed-<n>/` for all of them.

    Args:
        plan: what to train.
        prepared: `data/prepared/<task>/`.
        target: `runs/<task>/<variant>/`, replaced as a whole once every seed is there.
        dispatch: where runs are trained.
        tuned: settings that take the place of the plan's.
        finished: where finished runs are kept.
        observers: notified of every event.

    Raises:
        GatewiseError: more workers than the machine can hold; or a seed failed but for diverging:
            the others were finished and are kept.

    Returns:
        The records of the finished runs. Seeds whose training diverged have none; they stand with
        the reason in `target/diverged.json`, since no other attempt would end otherwise.
    """
    finished = finished or FinishedRuns()
    folders = JobFolders.beside(finished)
    plans = settled(plan, tuned)
    keys = run_keys(plans, prepared)
    for seed, key in keys.items():
        if (damage := finished.damage(key)) is not None:
            name = f"{plan.task}/{plan.variant}/seed-{seed}"
            print(f"warning: {name}: {damage}; this run is trained anew", file=sys.stderr)
    missing = [seed for seed in plan.seeds if keys[seed] not in finished]
    for seed in set(plan.seeds) - set(missing):
        # Left where a kill came between a run's end and the removal below.
        folders.forget(keys[seed])
    diverged: dict[int, str] = {}
    if missing:
        wanted = {seed: keys[seed] for seed in missing}
        diverged = _train(plans, prepared, wanted, dispatch, finished, observers)
    restored = [seed for seed in plan.seeds if seed not in missing]
    Display(f"{plan.task}/{plan.variant}", 0, 0, plan.metric).restored(restored)
    for seed in restored:
        for observer in observers:
            observer.run_finished(seed, finished.path(keys[seed]))

    with replacing(target) as folder:
        folder.mkdir()
        done = [seed for seed in plan.seeds if seed not in diverged]
        for seed in done:
            finished.restore(keys[seed], folder / f"seed-{seed}")
        records = [RunRecord.read(folder / f"seed-{seed}") for seed in done]
        write_json(folder / "metrics.json", summary(records))
        if diverged:
            write_json(folder / DIVERGED, {str(seed): why for seed, why in diverged.items()})
    return records


def settled(plan: RunPlan, tuned: Tuned | None) -> dict[int, RunPlan]:
    """The plan of each seed, with the settings that were chosen for it."""
    return {seed: of_seed(plan, tuned, seed) for seed in plan.seeds}


def run_keys(plans: Mapping[int, RunPlan], prepared: Path) -> dict[int, str]:
    """Key of each seed's run on the task prepared at `data/prepared/<task>/`."""
    data = read_digest(prepared)
    return {seed: run_key(plan, seed, data) for seed, plan in plans.items()}


def summary(records: Sequence[RunRecord]) -> dict[str, Any]:
    """Mean and standard deviation over seeds, for `dvc metrics show`."""
    table: dict[str, Any] = {"seeds": len(records)}
    for split in ("validation", "test") if records else ():
        for name in records[0].metrics[split]:
            values = [record.metrics[split][name] for record in records]
            table[f"{split}_{name}"] = {
                "mean": mean(values),
                "std": stdev(values) if len(values) > 1 else 0.0,
            }
    return table


def _train(
    plans: Mapping[int, RunPlan],
    prepared: Path,
    keys: dict[int, str],
    dispatch: Dispatch,
    finished: FinishedRuns,
    observers: Sequence[Observer],
) -> dict[int, str]:
    """Train the runs with `keys`; gives the seeds that diverged, with the reason."""
    folders = JobFolders.beside(finished)
    plan = next(iter(plans.values()))  # for what all have in common
    decisive = software.run_digest(plan)
    jobs = [folders.job(plans[seed], seed, key, prepared, decisive) for seed, key in keys.items()]
    failures: dict[int, str] = {}
    diverged: dict[int, str] = {}
    name = f"{plan.task}/{plan.variant}"
    with Display(name, len(jobs), plan.train.epochs, plan.metric) as display:

        def on_event(event: Event) -> None:
            seed = event.job.seed
            if event.kind == "started":
                display.started(seed)
                for observer in observers:
                    observer.run_started(seed, event.job.key, _settings(event.job))
            elif event.kind == "resumed":
                display.resumed(seed, event.epoch, event.reason)
            elif event.kind == "epoch":
                display.epoch(seed, event.epoch, event.values)
                for observer in observers:
                    observer.epoch(seed, event.epoch, event.values)
            elif event.kind == "finished":
                path = finished.keep(event.job.key, event.job.folder)
                folders.forget(event.job.key)
                record = RunRecord.read(path)
                display.finished(seed, record.epochs_run, record.metrics["test"])
                for observer in observers:
                    observer.run_finished(seed, path)
            else:
                (diverged if event.diverged else failures)[seed] = event.reason
                display.failed(seed, event.reason)
                for observer in observers:
                    observer.run_failed(seed, event.reason)

        dispatch.train_all(jobs, on_event)
    if failures:
        kept = len(keys) - len(failures) - len(diverged)
        seed, reason = next(iter(failures.items()))
        raise GatewiseError(
            f"{plan.task}/{plan.variant}: {len(failures)} of {len(keys)} runs failed "
            f"(seed {', '.join(map(str, failures))}); seed {seed}: {reason}\n"
            f"{kept} finished runs are kept and will not be trained again."
        )
    return diverged


def _settings(job: Job) -> dict[str, Any]:
    """What is known of a run's record before it is trained."""
    settings = job.plan.model_dump(mode="json", exclude={"seeds", "reference"})
    decisive = {"plan_sha256": job.plan.sha256, "software_sha256": job.software}
    return {**settings, **decisive, "seed": job.seed}
