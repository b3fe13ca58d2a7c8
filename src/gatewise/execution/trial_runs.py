"""Runs of trials: trained where they are missing, kept by what determines them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gatewise.artifacts import software, trials
from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.trials import TrialRecord
from gatewise.errors import GatewiseError
from gatewise.execution.dispatch import Dispatch
from gatewise.execution.finished_runs import run_key
from gatewise.execution.job_folders import JobFolders
from gatewise.execution.progress import Display
from gatewise.execution.seals import SealedFolders
from gatewise.execution.workers import Event
from gatewise.files import digest

MODULE = "gatewise.training.trial"


@dataclass(frozen=True)
class TrialRun:
    """One seed of one point."""

    trial: int
    """Number of the point."""
    plan: RunPlan
    """With the point's settings."""
    seed: int

    @property
    def label(self) -> str:
        """As progress shows it."""
        return f"{self.trial} ({self.seed})"


class KeptTrials(SealedFolders):
    """Folders of trials' runs; of one that diverged there is the record alone."""

    def __init__(self, root: str | Path = ".gatewise/trials") -> None:
        super().__init__(root, [trials.RECORD])


def trial_key(run: TrialRun, data_digest: str) -> str:
    """sha256 of everything that determines one run of a trial."""
    scored_by = software.sources_digest([MODULE])
    return digest({"trial": run_key(run.plan, run.seed, data_digest), "scored by": scored_by})


def train_missing(
    runs: Iterable[TrialRun],
    prepared: Path,
    data_digest: str,
    dispatch: Dispatch,
    kept: KeptTrials,
    title: str,
) -> dict[TrialRun, Path]:
    """The folder of each run, after training those that are not kept.

    Args:
        runs: of any points and seeds of one variant on one task.
        prepared: `data/prepared/<task>/`.
        data_digest: digest of the prepared task.
        dispatch: where they are trained.
        kept: where finished ones are kept.
        title: what progress calls them.

    Raises:
        GatewiseError: a run failed for another reason than diverging; the finished ones are kept.
    """
    keys = {run: trial_key(run, data_digest) for run in runs}
    jobs = {
        keys[run]: run for run in keys if keys[run] not in kept
    }  # by key: equal points are one run
    if jobs:
        _train(jobs, prepared, dispatch, kept, title)
    return {run: kept.path(key) for run, key in keys.items()}


def _train(
    runs: dict[str, TrialRun], prepared: Path, dispatch: Dispatch, kept: KeptTrials, title: str
) -> None:
    folders = JobFolders.beside(kept)
    jobs = [
        folders.job(
            run.plan, run.seed, key, prepared, software.run_digest(run.plan), trial=run.trial
        )
        for key, run in runs.items()
    ]
    failures: dict[str, str] = {}
    first = next(iter(runs.values())).plan
    with Display(title, len(jobs), first.train.epochs, first.metric, unit="trial") as display:

        def on_event(event: Event) -> None:
            key = event.job.key
            label = runs[key].label
            if event.kind == "started":
                display.started(label)
            elif event.kind == "resumed":
                display.resumed(label, event.epoch, event.reason)
            elif event.kind == "epoch":
                display.epoch(label, event.epoch, event.values)
            elif event.kind == "finished":
                record = TrialRecord.read(kept.keep(key, event.job.folder))
                folders.forget(key)
                if record.diverged:
                    display.failed(label, record.diverged)
                else:
                    display.finished(label, record.epochs_run, record.metrics, "validation")
            else:
                failures[label] = event.reason
                display.failed(label, event.reason)

        dispatch.train_all(jobs, on_event)
    if failures:
        label, reason = next(iter(failures.items()))
        raise GatewiseError(
            f"{title}: {len(failures)} of {len(jobs)} trials failed; trial {label}: {reason}\n"
            f"{len(jobs) - len(failures)} finished ones are kept and will not be trained again."
        )
