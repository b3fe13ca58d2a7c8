"""Weights averaged over the last epochs, in place of those of one epoch.

Which single epoch is best hangs on a noisy validation score; the mean of several epochs' weights
hangs on it less (Izmailov et al. 2018, "Averaging weights leads to wider optima", and Jordan 2023
on what seeds scatter by). Two variants' scores then differ less by luck, so fewer seeds tell them
apart.
"""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from gatewise.training.module import SequenceLearning

State = dict[str, torch.Tensor]


class LastEpochs(Callback):
    """Keeps the weights that each of the last epochs ended with.

    All of them rather than a running sum, since early stopping says only afterwards which epoch
    was the last.
    """

    def __init__(self, count: int) -> None:
        """Keep the weights of `count` epochs, or of all where there are fewer."""
        self.count = count
        self.states: list[State] = []

    def on_train_epoch_end(self, _trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Keep this epoch's weights, and none that are too old."""
        assert isinstance(module, SequenceLearning)  # noqa: S101
        now = {name: value.detach().clone() for name, value in module.model.state_dict().items()}
        self.states = [*self.states, now][-self.count :]

    def mean(self) -> State:
        """The mean of the weights that are kept, added up from the oldest to the newest."""
        newest = self.states[-1]
        return {
            name: torch.stack([state[name] for state in self.states]).mean(dim=0)
            if value.is_floating_point()
            else value
            for name, value in newest.items()
        }

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"states": self.states}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """From a checkpoint."""
        self.states = state_dict["states"]
