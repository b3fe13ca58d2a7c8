"""One run: fit a variant to a task with one seed, score its best weights, write its folder."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file

import gatewise
from gatewise.artifacts import runs
from gatewise.artifacts.prepared import Prepared
from gatewise.artifacts.runs import RunData, RunRecord
from gatewise.config import SPLITS
from gatewise.models.complexity import Sizes, macs_per_step, parameters, recurrent_parameters
from gatewise.training import instructions
from gatewise.training.callbacks import OnEpoch
from gatewise.training.distributed import ALONE, Group
from gatewise.training.evaluation import Evaluation, score
from gatewise.training.fit import FitResult, Keep, OnResume, fit
from gatewise.training.job import Job
from gatewise.training.scoring import predictions, predictions_digest, weights_digest


def train(
    job: Job,
    on_epoch: OnEpoch,
    on_resume: OnResume = lambda *_: None,
    group: Group = ALONE,
) -> RunRecord:
    """Train one run, score it on all splits and write its folder.

    `on_epoch` is called after each epoch with its number, counted from 1, and its values;
    `on_resume` at most once before that, with the epochs that need no repeating and a sentence.
    All processes of a `group` make this call, and the first of them writes.

    Raises:
        DivergedError: the loss is NaN, or ends worse than guessing.
        GatewiseError: no width fits the budget, or the accelerator is absent.
    """
    keep = None if job.checkpoint is None else Keep(job.checkpoint, job.key)
    fitted = fit(
        job.plan,
        job.seed,
        Prepared.open(job.prepared),
        keep=keep,
        on_epoch=on_epoch,
        on_resume=on_resume,
        group=group,
    )
    evaluations = score(fitted, SPLITS)
    return write(job, fitted, evaluations, group)


def write(
    job: Job, fitted: FitResult, evaluations: dict[str, Evaluation], group: Group = ALONE
) -> RunRecord:
    """Write the run folder, from the first process of the group; gives the record."""
    test = evaluations["test"]
    table = predictions(fitted.data.prepared, test.rows, test.columns)
    weights = {
        name: tensor.cpu().contiguous() for name, tensor in fitted.module.model.state_dict().items()
    }
    record = _record(job, fitted, evaluations, weights, table, group)
    if group.leads:
        _write(job.folder, record, weights, table, fitted.curves)
    return record


def _record(
    job: Job,
    fitted: FitResult,
    evaluations: dict[str, Evaluation],
    weights: dict[str, torch.Tensor],
    table: pd.DataFrame,
    group: Group,
) -> RunRecord:
    plan, config, card = job.plan, fitted.config, fitted.data.prepared.card
    sizes, kernel = Sizes.of(card), fitted.module.model.kernel
    return RunRecord(
        task=plan.task,
        variant=plan.variant,
        seed=job.seed,
        key=job.key,
        plan_sha256=plan.sha256,
        own=plan.own,
        software_sha256=job.software,
        config=config,
        budget=fitted.budget,
        kernel=kernel,
        parameters=parameters(config, sizes),
        recurrent_parameters=recurrent_parameters(config, sizes),
        macs_per_step=macs_per_step(config, sizes),
        train=plan.train.model_copy(update={"epochs": fitted.epochs}),
        split=plan.split,
        augment=plan.augment,
        metric=plan.metric,
        threads=plan.threads,
        instructions=instructions.used(plan.instructions),
        processes=group.size,
        accelerator=fitted.trainer.strategy.root_device.type,
        precision=plan.precision,
        compile=plan.compile and kernel == "unrolled",
        epochs_run=len(fitted.curves),
        best_epoch=fitted.best_epoch,
        metrics={split: evaluation.metrics for split, evaluation in evaluations.items()},
        weights_sha256=weights_digest(weights),
        predictions_sha256=predictions_digest(table),
        data=RunData(
            digest=card.digest,
            examples={split: len(evaluation.rows) for split, evaluation in evaluations.items()},
            test_groups=tuple(sorted(set(table["group"]))[:20]),
        ),
        versions=versions(),
    )


def _write(
    folder: Path,
    record: RunRecord,
    weights: dict[str, torch.Tensor],
    table: pd.DataFrame,
    curves: list[dict[str, float]],
) -> None:
    save_file(weights, folder / runs.WEIGHTS)
    table.to_parquet(folder / runs.PREDICTIONS, index=False, write_page_checksum=True)
    pd.DataFrame(curves).to_csv(folder / runs.CURVES, index=False)
    record.write(folder)


def versions() -> dict[str, str]:
    """Versions of what computes the numbers."""
    return {
        "gatewise": gatewise.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "pytorch-lightning": metadata.version("pytorch-lightning"),
        "numpy": np.__version__,
    }
