"""What a run needs to go on after its last whole epoch as if nothing had happened.

After every epoch one file is replaced: weights, optimiser, schedule, early stopping, curves and
the best weights so far. The random streams need no place in it: they are addressed by epoch
(`gatewise.streams`). The file lies outside DVC's outputs and is gone once the run is finished. It
is a zip of plain tensors and numbers, read so that no pickle can run.
"""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint

from gatewise.errors import GatewiseError
from gatewise.files import require_regular


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
    """Saves after every epoch, and after every other callback has seen the epoch.

    A kill leaves the file of this epoch or of the one before: it is renamed into place.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.key = key
        self._stopped = False

    def on_train_epoch_end(self, trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        """Save."""
        # Early stopping has spoken by now: Lightning runs checkpoints last.
        self._stopped = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
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
