"""What a run needs to go on after a whole epoch as if nothing had happened.

After an epoch one file is replaced: weights, optimiser, schedule, early stopping, curves and
the best weights so far. The random streams need no place in it: they are addressed by epoch
(`gatewise.streams`). The file lies outside DVC's outputs and is gone once the run is finished. It
is a zip of plain tensors and numbers, read so that no pickle can run.
"""

from __future__ import annotations

import pickle
import time
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint

from gatewise.errors import GatewiseError
from gatewise.files import require_regular

SHARE = 0.01
"""Of a run's time that saving may take, in the middle of training."""


class Saved(NamedTuple):
    """A checkpoint that fits the run."""

    path: Path
    epochs: int
    """Epochs that are done."""
    stopped: bool
    """Whether training had ended, by early stopping or by the last epoch."""
    callbacks: dict[str, Any]
    """States of the callbacks by name."""


class Saver(Checkpoint):
    """Saves after an epoch, once every other callback has seen it.

    After the first, the last, and in between whenever `SHARE` of the time since the last save pays
    for another: epochs of seconds are saved one by one, of those that take as long as a handful of
    saves a few are trained again. The file is renamed into place: a kill leaves a whole one.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.key = key
        self._stopped = False
        self._cost = 0.0
        self._saved_at = 0.0

    def on_train_epoch_end(self, trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        """Save, if it is worth it."""
        # Early stopping has spoken by now: Lightning runs checkpoints last.
        self._stopped = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        began = time.monotonic()
        # Processes that train together save together, and each has its own clock.
        due = self._stopped or SHARE * (began - self._saved_at) >= self._cost
        if trainer.strategy.reduce_boolean_decision(due, all=False):
            self._save(trainer)
            self._saved_at = time.monotonic()
            self._cost = self._saved_at - began

    def _save(self, trainer: pl.Trainer) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        trainer.save_checkpoint(partial)
        if trainer.is_global_zero:
            partial.replace(self.path)

    def state_dict(self) -> dict[str, Any]:
        """Whose checkpoint it is, and whether training is over."""
        return {"key": self.key, "stopped": self._stopped}


def find(path: Path, key: str) -> Saved | None:
    """The checkpoint of the run `key`, if there is one.

    Raises:
        GatewiseError: the file is damaged or belongs to another run.
    """
    if not path.exists():
        return None
    try:
        require_regular(path)
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # torch itself ignores the checksums
        if damaged is not None:
            raise zipfile.BadZipFile
        content = torch.load(path, map_location="cpu", weights_only=True)
        mine = content["callbacks"][Saver.__qualname__]
        saved = Saved(path, content["epoch"] + 1, mine["stopped"], content["callbacks"])
    except (OSError, EOFError, LookupError, RuntimeError, TypeError, ValueError,
            pickle.UnpicklingError, zipfile.BadZipFile):  # fmt: skip
        raise GatewiseError(f"{path} is damaged") from None
    if mine["key"] != key:
        raise GatewiseError(f"{path} belongs to a run with other settings, data or software")
    return saved
