"""What a run adds to training: seeded dropout, and a record of the epochs with the best weights."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from gatewise import streams
from gatewise.config.metrics import METRICS
from gatewise.training import divergence
from gatewise.training.module import SequenceLearning

OnEpoch = Callable[[int, dict[str, float]], None]
"""Called after each epoch with its number, counted from 1, and its values."""


class DropoutStream(Callback):
    """Places torch's generator once an epoch, so that its masks do not hang on what came before."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Place it; nothing else draws from it until the first batch."""
        # Processes that share a run have other rows, and so other masks.
        rank = (trainer.global_rank,) if trainer.global_rank else ()
        seed = streams.torch_seed(self.seed, "dropout", trainer.current_epoch, *rank)
        if module.device.type == "cpu":
            # For GPUs that nothing uses `torch.manual_seed` would note where it was called from.
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)


class Recorder(Callback):
    """Keeps the curves and the weights of the epoch that did best on the validation split.

    Best is the primary metric in its direction, and of equals the lower loss. The loss alone would
    not do: on speakers unlike those in training it rises with confidence while accuracy still
    improves.
    """

    def __init__(self, metric: str, on_epoch: OnEpoch) -> None:
        self.metric = METRICS[metric]
        self.on_epoch = on_epoch
        self.rows: list[dict[str, float]] = []
        self.best_epoch = 0
        self.best_state: dict[str, torch.Tensor] = {}
        self._best_score = (0.0, 0.0)
        self._began = 0.0

    @property
    def column(self) -> str:
        """Column of the curves by which epochs are compared, as Lightning logs it."""
        return f"validation_{self.metric.name}"

    def on_train_epoch_start(self, _trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        """Note the time."""
        self._began = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Sum the epoch up; keep the weights if they are the best so far."""
        assert isinstance(module, SequenceLearning)  # noqa: S101
        epoch = trainer.current_epoch + 1
        row = {"epoch": epoch, **module.epoch_row()}
        divergence.check_epoch(epoch, row["train_loss"])
        score = (self.metric.gain(row[self.column]), -row["validation_loss"])
        if not self.rows or score > self._best_score:
            self._best_score = score
            self.best_epoch = epoch
            self.best_state = {k: v.detach().clone() for k, v in module.model.state_dict().items()}
        self.rows.append(row)
        # Clock and memory go to listeners only: nothing a run writes may depend on them.
        seconds = time.monotonic() - self._began
        self.on_epoch(epoch, {**row, "seconds": seconds, "memory_mb": peak_memory_mb()})

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
        gain, loss = state_dict["best_score"]
        self._best_score = (gain, loss)
        self.best_state = state_dict["best_state"]


def peak_memory_mb() -> float:
    """Peak resident memory of this process in MB (10^6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
