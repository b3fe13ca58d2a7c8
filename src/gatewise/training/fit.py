"""Fitting: a variant learns a task from its training split; the validation split picks the epoch.

The test split is never touched here, so whatever tries settings can call `fit` as it likes.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping
from pytorch_lightning.profilers import PassThroughProfiler

from gatewise import streams
from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.prepared import Prepared
from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models import budget
from gatewise.models.building import build
from gatewise.models.complexity import Sizes
from gatewise.models.sequence_model import SequenceModel
from gatewise.training import checkpoint, divergence, instructions, kept_vectors, lean
from gatewise.training.averaging import LastEpochs
from gatewise.training.callbacks import DropoutStream, OnEpoch, Recorder
from gatewise.training.datamodule import TaskData
from gatewise.training.distributed import ALONE, Group
from gatewise.training.module import SequenceLearning

OnResume = Callable[[int, str], None]
"""Called at most once, before the first epoch, with the epochs that need no repeating and a
sentence."""


@dataclass(frozen=True)
class Keep:
    """Where a run keeps what it needs to go on after a kill."""

    path: Path
    key: str
    """Whose it is; a checkpoint of another run is not used."""


@dataclass(frozen=True)
class FitResult:
    """A trained run, holding the weights of its best epoch."""

    config: VariantConfig
    """The variant with its width solved."""
    budget: str
    """How the width came about, in words."""
    epochs: int
    """How many there were to be; early stopping may have left some out."""
    curves: list[dict[str, float]]
    """A row an epoch, as `curves.csv` has them."""
    best_epoch: int
    """Counted from 1; its weights are the module's, or the mean of those of the last epochs."""
    module: SequenceLearning
    data: TaskData
    trainer: pl.Trainer


def fit(
    plan: RunPlan,
    seed: int,
    prepared: Prepared,
    *,
    keep: Keep | None = None,
    on_epoch: OnEpoch = lambda *_: None,
    on_resume: OnResume = lambda *_: None,
    group: Group = ALONE,
) -> FitResult:
    """Train one seed of a plan, going on where its checkpoint stands.

    Args:
        plan: what to train.
        seed: of weights, order, augmentation and dropout, and of the split if that is drawn.
        prepared: the task; only its training and validation splits are used.
        keep: where its checkpoint is; without, there is none.
        on_epoch: called after each epoch.
        on_resume: called when there is a checkpoint.
        group: the processes that train it together, each of which makes this call.

    Raises:
        DivergedError: the loss is NaN, or ends worse than guessing.
        GatewiseError: no width fits the budget, the accelerator is absent, or this process would
            not compute with the instructions of the plan.
    """
    instructions.require(plan.instructions)
    check_accelerator(plan.accelerator)
    if plan.compile:
        check_compiler()
    torch.set_num_threads(plan.threads)
    solved = budget.resolve(plan.config, plan.reference, Sizes.of(prepared.card))
    epochs = max(1, round(plan.train.epochs * solved.epochs_factor))
    data = group.data(plan, prepared, seed)
    config = _with_longest_sequence(solved.variant, data)
    card = prepared.card
    module = group.module(_model(plan, config, seed, data, keep), plan.train, card.asks)
    recorder = Recorder(plan.metric, on_epoch)
    saved = None if keep is None else _saved(keep, on_resume)
    last = LastEpochs(plan.train.average_last) if plan.train.average_last else None
    keeping: list[Callback] = [recorder] if last is None else [recorder, last]
    lean.skip_empty_hooks([module])
    lean.remember_signatures(module)
    trainer = _trainer(plan, epochs, [DropoutStream(seed), *keeping], keep, group)
    if saved is not None and saved.stopped:
        for callback in keeping:
            callback.load_state_dict(saved.callbacks[callback.state_key])
    else:
        path = None if saved is None else saved.path
        trainer.fit(module, datamodule=data, ckpt_path=path, weights_only=True)
    divergence.check_run(recorder.rows, card.asks.guessing(card.labels))
    module.model.load_state_dict(recorder.best_state if last is None else last.mean())
    return FitResult(
        config=config,
        budget=solved.sentence,
        epochs=epochs,
        curves=recorder.rows,
        best_epoch=recorder.best_epoch if last is None else len(recorder.rows),
        module=module,
        data=data,
        trainer=trainer,
    )


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


def _model(
    plan: RunPlan, config: VariantConfig, seed: int, data: TaskData, keep: Keep | None = None
) -> SequenceModel:
    """The variant with its initial weights."""
    card = data.prepared.card
    replica = (config.replica,) if config.replica else ()
    torch.manual_seed(streams.torch_seed(seed, "init", *replica))
    model = build(config, Sizes.of(card))
    if card.normalise == "train":
        model.set_input_statistics(*data.input_statistics())
    if card.vocabulary is not None and config.embeddings == "cooccurrence":
        folder = None if keep is None else keep.path.parent.parent / kept_vectors.FOLDER
        found, words = kept_vectors.vectors(
            data.documents("train"), card.vocabulary, config.embedding, folder, plan.instructions
        )
        model.start_embeddings(torch.from_numpy(found), torch.from_numpy(words))
    if (longest := data.longest_answer()) is not None:
        model.set_longest(longest)
    if plan.compile:
        model.compile_steps()
    return model


def _with_longest_sequence(config: VariantConfig, data: TaskData) -> VariantConfig:
    """The variant with what `init: chrono` takes from the data: the longest training sequence."""
    if config.init != "chrono" or config.chrono_steps is not None:
        return config
    longest = int(data.clean_sequences.lengths[data.rows["train"]].max())
    return config.model_copy(update={"chrono_steps": max(longest, 3)})


def _saved(keep: Keep, on_resume: OnResume) -> checkpoint.Saved | None:
    try:
        saved = checkpoint.find(keep.path, keep.key)
    except GatewiseError as error:
        on_resume(0, f"the checkpoint {error}; the run starts anew")
        return None
    if saved is not None:
        on_resume(saved.epochs, f"goes on after epoch {saved.epochs}")
    return saved


def _trainer(
    plan: RunPlan, epochs: int, callbacks: list[Callback], keep: Keep | None, group: Group
) -> pl.Trainer:
    _silence_lightning()
    recorder = next(callback for callback in callbacks if isinstance(callback, Recorder))
    if plan.train.patience is not None:
        mode, patience = recorder.metric.mode, plan.train.patience
        callbacks = [*callbacks, EarlyStopping(recorder.column, mode=mode, patience=patience)]
    if keep is not None:
        callbacks = [*callbacks, checkpoint.Saver(keep.path, keep.key)]
    # Filling what is about to be overwritten would make no number more certain, and a step longer.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    settings = group.trainer_settings()
    if plan.accelerator == "cpu" and group.size == 1:
        settings["strategy"] = lean.LeanStrategy("cpu")
    lean.skip_empty_hooks(callbacks)
    return lean.LeanTrainer(
        accelerator=plan.accelerator,
        precision=plan.precision,  # type: ignore[arg-type]
        max_epochs=epochs,
        gradient_clip_val=plan.train.clip_norm,
        callbacks=callbacks,
        profiler=_NoProfiler(),
        deterministic=True,
        logger=False,
        enable_checkpointing=keep is not None,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **settings,
    )


class _NoProfiler(PassThroughProfiler):
    """Measures nothing, and takes no time for it: Lightning asks it 80 times a step."""

    _nothing = nullcontext()

    def profile(self, action_name: str) -> AbstractContextManager[None]:  # type: ignore[override]  # noqa: ARG002
        """A context that does nothing."""
        return self._nothing


def _silence_lightning() -> None:
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    for message in (
        # Each batch is one memory-mapped gather: more loader processes would only cost.
        "does not have many workers",
        "`.fit.` is called more than once",
        # Wherever Slurm is installed.
        "`srun` command is available",
        # Lightning's own use of a torch function that is going away; nothing a user could mend.
        "LeafSpec",
        # Every process validates on all examples, so there is nothing to bring together.
        "sync_dist=True",
    ):
        warnings.filterwarnings("ignore", message=f".*{message}.*")
