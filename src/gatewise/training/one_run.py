"""One run: train a variant on a task with one seed, score its best weights, write its folder."""

from __future__ import annotations

import logging
import os
import platform
import resource
import shutil
import sys
import time
import warnings
from collections.abc import Callable
from importlib import metadata
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning.callbacks import Callback, EarlyStopping
from safetensors.torch import save_file

import gatewise
from gatewise import streams
from gatewise.artifacts import runs
from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.prepared import Prepared
from gatewise.artifacts.runs import RunData, RunRecord
from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models import budget
from gatewise.models.classifier import SequenceClassifier
from gatewise.models.complexity import Sizes, macs_per_step, parameters, recurrent_parameters
from gatewise.training import checkpoint
from gatewise.training.datamodule import TaskData
from gatewise.training.distributed import Group, SharedClassification, SharedTaskData
from gatewise.training.job import Job
from gatewise.training.module import SequenceClassification
from gatewise.training.scoring import predictions, predictions_digest, scores, weights_digest

Listener = Callable[[int, dict[str, float]], None]
Resumed = Callable[[int, str], None]


class Recorder(Callback):
    """Keeps the curves and the weights of the epoch that did best on the validation split.

    Best is the primary metric, and of equals the lower loss. The loss alone would not do: on
    speakers unlike those in training it rises with confidence while accuracy still improves.
    """

    def __init__(self, seed: int, metric: str, listener: Listener) -> None:
        self.seed = seed
        self.metric = f"validation_{metric}"
        self.listener = listener
        self.rows: list[dict[str, float]] = []
        self.best_epoch = 0
        self.best_state: dict[str, torch.Tensor] = {}
        self._best_score = (0.0, 0.0)
        self._began = 0.0

    def on_train_epoch_start(self, _trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        """Note the time."""
        self._began = time.monotonic()

    def on_train_batch_start(
        self, trainer: pl.Trainer, _module: pl.LightningModule, _batch: Any, index: int
    ) -> None:
        """Place the dropout stream, so that an epoch's masks do not hang on what came before.

        Not at the epoch's start: a loader draws from the same generator when it is opened, which
        happens before that in the first epoch and in a resumed one, and after it in all others.
        """
        if index == 0:
            # Processes that share a run have other rows, and so other masks.
            rank = (trainer.global_rank,) if trainer.global_rank else ()
            place = (trainer.current_epoch, *rank)
            torch.manual_seed(streams.torch_seed(self.seed, "dropout", *place))

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Sum the epoch up; keep the weights if they are the best so far."""
        assert isinstance(module, SequenceClassification)  # noqa: S101
        epoch = trainer.current_epoch + 1
        row = {"epoch": epoch, **module.epoch_row()}
        score = (row[self.metric], -row["validation_loss"])
        if not np.isfinite(row["train_loss"]):
            raise GatewiseError(
                f"training diverged in epoch {epoch} (loss {row['train_loss']}); "
                "lower train.learning_rate or train.clip_norm"
            )
        if not self.rows or score > self._best_score:
            self._best_score = score
            self.best_epoch = epoch
            self.best_state = {k: v.detach().clone() for k, v in module.model.state_dict().items()}
        self.rows.append(row)
        # Clock and memory go to listeners only: nothing a run writes may depend on them.
        seconds = time.monotonic() - self._began
        self.listener(epoch, {**row, "seconds": seconds, "memory_mb": peak_memory_mb()})

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {
            "rows": self.rows,
            "best_epoch": self.best_epoch,
            "best_score": list(self._best_score),
            "best_state": self.best_state,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """From a checkpoint."""
        self.rows = state_dict["rows"]
        self.best_epoch = state_dict["best_epoch"]
        accuracy, loss = state_dict["best_score"]
        self._best_score = (accuracy, loss)
        self.best_state = state_dict["best_state"]


def train(
    job: Job,
    listener: Listener,
    resumed: Resumed = lambda *_: None,
    group: Group | None = None,
) -> RunRecord:
    """Train one run and write its folder, going on where its checkpoint stands.

    `listener` is called after each epoch with its number, counted from 1, and its values;
    `resumed` at most once before that, with the epochs that need no repeating and a sentence.
    With a `group` all its processes make this call, and the first of them writes.

    Raises:
        GatewiseError: no width fits the budget, the accelerator is absent, the loss is NaN.
    """
    plan, seed = job.plan, job.seed
    check_accelerator(plan.accelerator)
    if plan.compile:
        check_compiler()
    torch.set_num_threads(plan.threads)
    prepared = Prepared.open(job.prepared)
    sizes = Sizes.of(prepared.card)
    solved = budget.resolve(plan.config, plan.reference, sizes)
    epochs = max(1, round(plan.train.epochs * solved.epochs_factor))

    settings = (prepared, seed, plan.train.batch_size, plan.augment, plan.train.fraction)
    data = TaskData(*settings) if group is None else SharedTaskData(group, *settings)
    variant = _remembering(solved.variant, data)
    replica = (plan.config.replica,) if plan.config.replica else ()
    torch.manual_seed(streams.torch_seed(seed, "init", *replica))
    model = SequenceClassifier(variant, sizes)
    if prepared.card.normalise == "train":
        model.set_input_statistics(*data.input_statistics())
    if plan.compile:
        model.recurrence.compile_steps()

    learner = SequenceClassification if group is None else SharedClassification
    module = learner(model, plan.train)
    recorder = Recorder(seed, plan.metric, listener)
    saved = _saved(job, resumed)
    trainer = _trainer(plan, epochs, recorder, job, group)
    if saved is not None and saved.stopped:
        recorder.load_state_dict(saved.callbacks[recorder.state_key])
    else:
        path = None if saved is None else saved.path
        trainer.fit(module, datamodule=data, ckpt_path=path, weights_only=True)

    model.load_state_dict(recorder.best_state)
    logits = {split: _logits(trainer, module, data, split) for split in data.rows}
    labels = {
        split: torch.from_numpy(data.clean_sequences.labels[data.evaluation_rows(split)])
        for split in data.rows
    }
    table = predictions(prepared, data.evaluation_rows("test"), logits["test"])
    state = {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}

    record = RunRecord(
        task=plan.task,
        variant=plan.variant,
        seed=seed,
        key=job.key,
        plan_sha256=plan.sha256,
        software_sha256=job.software,
        config=variant,
        budget=solved.sentence,
        kernel=model.kernel,
        parameters=parameters(variant, sizes),
        recurrent_parameters=recurrent_parameters(variant, sizes),
        macs_per_step=macs_per_step(variant, sizes),
        train=plan.train.model_copy(update={"epochs": epochs}),
        split=plan.split,
        augment=plan.augment,
        metric=plan.metric,
        threads=plan.threads,
        processes=1 if group is None else group.size,
        accelerator=trainer.strategy.root_device.type,
        precision=plan.precision,
        compile=plan.compile and model.kernel == "unrolled",
        epochs_run=len(recorder.rows),
        best_epoch=recorder.best_epoch,
        metrics={split: scores(logits[split], labels[split]) for split in data.rows},
        weights_sha256=weights_digest(state),
        predictions_sha256=predictions_digest(table),
        data=RunData(
            digest=prepared.card.digest,
            examples={split: len(rows) for split, rows in data.rows.items()},
            test_groups=tuple(sorted(set(table["group"]))[:20]),
        ),
        versions=versions(),
    )
    if trainer.is_global_zero:
        save_file(state, job.folder / runs.WEIGHTS)
        table.to_parquet(job.folder / runs.PREDICTIONS, index=False)
        pd.DataFrame(recorder.rows).to_csv(job.folder / runs.CURVES, index=False)
        record.write(job.folder)
    return record


def versions() -> dict[str, str]:
    """Versions of what computes the numbers."""
    return {
        "gatewise": gatewise.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "pytorch-lightning": metadata.version("pytorch-lightning"),
        "numpy": np.__version__,
    }


def check_accelerator(accelerator: str) -> None:
    """Refuse an accelerator that this machine lacks.

    Raises:
        GatewiseError: it is absent.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not present.get(accelerator, True):
        raise GatewiseError(
            f"execution.accelerator is {accelerator}, but this machine has none that torch "
            f"{torch.__version__} can use; set it to cpu or auto"
        )


def check_compiler() -> None:
    """Refuse to compile where `torch.compile` would find no compiler for the CPU.

    Raises:
        GatewiseError: there is none.
    """
    compiler = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    if shutil.which(compiler) is None:
        raise GatewiseError(
            f"execution.compile needs a C++ compiler, and there is no {compiler}; install one, "
            "name another in CXX, or leave execution.compile out"
        )


def peak_memory_mb() -> float:
    """Peak resident memory of this process in MB (10^6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _remembering(variant: VariantConfig, data: TaskData) -> VariantConfig:
    """The variant with what `init: chrono` takes from the data: the longest training sequence."""
    if variant.init != "chrono" or variant.chrono_steps is not None:
        return variant
    longest = int(data.clean_sequences.lengths[data.rows["train"]].max())
    return variant.model_copy(update={"chrono_steps": max(longest, 3)})


def _saved(job: Job, resumed: Resumed) -> checkpoint.Saved | None:
    if job.checkpoint is None:
        return None
    try:
        saved = checkpoint.find(job.checkpoint, job.key)
    except GatewiseError as error:
        resumed(0, f"the checkpoint {error}; the run starts anew")
        return None
    if saved is not None:
        resumed(saved.epochs, f"goes on after epoch {saved.epochs}")
    return saved


def _trainer(
    plan: RunPlan, epochs: int, recorder: Recorder, job: Job, group: Group | None
) -> pl.Trainer:
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    # Each batch is one memory-mapped gather: more loader processes would only cost.
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*`.fit.` is called more than once.*")
    # That hooks see one batch of an epoch is what `SequenceClassification` wants.
    warnings.filterwarnings("ignore", message=".*`dataloader_iter`.*")
    # Wherever Slurm is installed.
    warnings.filterwarnings("ignore", message=".*`srun` command is available.*")
    # Lightning's own use of a torch function that is going away; nothing a user could mend.
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    callbacks: list[Callback] = [recorder]
    if plan.train.patience is not None:
        callbacks.append(EarlyStopping(recorder.metric, mode="max", patience=plan.train.patience))
    if job.checkpoint is not None:
        callbacks.append(checkpoint.Saver(job.checkpoint, job.key))
    settings: dict[str, Any] = {"precision": plan.precision, "devices": 1}
    if group is None:
        # Inside a job of Slurm, LSF or MPI the run would take itself for one of the job's tasks.
        settings["plugins"] = LightningEnvironment()
    else:
        settings |= group.trainer_settings()
        # Every process validates on all examples, so there is nothing to bring together.
        warnings.filterwarnings("ignore", message=".*sync_dist=True.*")
    # Filling what is about to be overwritten would make no number more certain, and a step longer.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    return pl.Trainer(
        accelerator=plan.accelerator,
        max_epochs=epochs,
        callbacks=callbacks,
        deterministic=True,
        logger=False,
        enable_checkpointing=job.checkpoint is not None,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **settings,
    )


def _logits(
    trainer: pl.Trainer, module: SequenceClassification, data: TaskData, split: str
) -> torch.Tensor:
    """Logits `(examples, classes)` on the CPU, in `evaluation_rows` order."""
    parts = trainer.predict(module, data.evaluation_dataloader(split))
    assert parts is not None  # noqa: S101
    return torch.cat(parts).float().cpu()  # type: ignore[arg-type]
