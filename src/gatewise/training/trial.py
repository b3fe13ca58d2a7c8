"""One trial's run: fit a variant with settings that are being tried, and score what validates.

The test split is neither loaded nor scored here.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from gatewise.artifacts import runs
from gatewise.artifacts.prepared import Prepared
from gatewise.artifacts.trials import TrialRecord
from gatewise.errors import DivergedError
from gatewise.models.complexity import Sizes, sequence_macs
from gatewise.training.callbacks import OnEpoch
from gatewise.training.distributed import ALONE, Group
from gatewise.training.evaluation import score
from gatewise.training.fit import FitResult, Keep, OnResume, fit
from gatewise.training.job import Job
from gatewise.training.scoring import predictions


def run(
    job: Job,
    on_epoch: OnEpoch,
    on_resume: OnResume = lambda *_: None,
    group: Group = ALONE,
) -> None:
    """Train one seed of a trial and write its folder: the record, curves, validation predictions.

    A training that diverges is a result, too: the record says so, and has no scores.

    Raises:
        GatewiseError: no width fits the budget, or the accelerator is absent.
    """
    keep = None if job.checkpoint is None else Keep(job.checkpoint, job.key)
    data = Prepared.open(job.prepared)
    try:
        fitted = fit(
            job.plan, job.seed, data, keep=keep, on_epoch=on_epoch, on_resume=on_resume, group=group
        )
    except DivergedError as error:
        if group.leads:
            TrialRecord(key=job.key, seed=job.seed, diverged=str(error)).write(job.folder)
        return
    validation = score(fitted, ["validation"])["validation"]
    if not group.leads:
        return
    predictions(data, validation.rows, validation.columns).to_parquet(
        job.folder / runs.PREDICTIONS, index=False
    )
    pd.DataFrame(fitted.curves).to_csv(job.folder / runs.CURVES, index=False)
    TrialRecord(
        key=job.key,
        seed=job.seed,
        metrics=validation.metrics,
        epochs_run=len(fitted.curves),
        best_epoch=fitted.best_epoch,
        training_macs=training_macs(fitted),
    ).write(Path(job.folder))


def training_macs(fitted: FitResult) -> float:
    """Multiply-accumulates of the recurrence in training: a backward pass counts as two forward."""
    data, sizes = fitted.data, Sizes.of(fitted.data.prepared.card)
    rows = data.rows["train"]
    steps, said = data.clean_sequences.lengths[rows], data.answer_lengths(rows) + 1
    totals = int(steps.sum()), int(said.sum()), int((steps * said).sum())
    return 3.0 * sequence_macs(fitted.config, sizes, *totals) * len(fitted.curves)
