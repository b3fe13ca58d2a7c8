"""The LightningModule: any variant learns what its task asks for, under equal conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from gatewise.artifacts.objectives import Objective
from gatewise.artifacts.objectives.base import Answered
from gatewise.config import TrainConfig
from gatewise.errors import GatewiseError
from gatewise.models.batch import Batch
from gatewise.models.sequence_model import SequenceModel


def schedule(config: TrainConfig, steps: int) -> Callable[[int], float]:
    """Factor on the peak learning rate after each of `steps` updates."""
    warmup = max(1, round(0.2 * steps)) if config.schedule == "one-cycle" else 0

    def factor(step: int) -> float:
        if config.schedule == "constant":
            return 1.0
        if step < warmup:
            return 0.04 + 0.96 * step / warmup
        progress = min(1.0, (step - warmup) / max(1, steps - warmup))
        return 0.5 * (1 + math.cos(math.pi * progress))

    return factor


class SequenceLearning(pl.LightningModule):
    """Trains `model` with AdamW and a learning rate that changes with every update.

    Logged at the end of an epoch: `train_loss`, `gradient_norm` (the mean over updates, before
    clipping) and `validation_<name>` for `loss` and every registered metric. Until then sums
    stay on the device: `self.log` at every step would cost small models more than they compute.
    """

    def __init__(self, model: SequenceModel, config: TrainConfig, objective: Objective) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self.objective = objective
        self._scores: dict[str, float] = {}
        self._clipped: list[torch.nn.Parameter] = []
        self._losses: list[torch.Tensor] = []
        self._rows: list[int] = []
        self._examples: list[int] = []
        self._norms: list[torch.Tensor] = []
        self._validation: list[Answered] = []

    def __setattr__(self, name: str, value: Any) -> None:
        """As torch does, which looks at whatever becomes an attribute of a module.

        Lightning notes there which hook runs, 50 times a step, and that would take longer than any
        hook.
        """
        if name == "_current_fx_name":
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:  # noqa: ARG002
        """Mean loss of one batch."""
        loss = self._loss(batch)
        self._note(loss, len(batch.lengths), len(batch.lengths))
        return loss

    def _loss(self, batch: Batch) -> torch.Tensor:
        return self.objective.loss(self.model.taught(batch), self.config)

    def _note(self, loss: torch.Tensor, rows: int, examples: int) -> None:
        """Keep for the epoch's sum: a mean loss over `rows`, in a batch of `examples`."""
        self._losses.append(loss.detach())
        self._rows.append(rows)
        self._examples.append(examples)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Collect outputs; scores need all of them."""
        self._validation.append(self.model.answered(batch))

    def predict_step(self, batch: Batch, batch_idx: int) -> Answered:  # noqa: ARG002
        """Outputs of one batch, beside what it should have given."""
        return self.model.answered(batch)

    def on_fit_start(self) -> None:
        """Look up once what is clipped: torch would walk through all submodules at every step."""
        self._clipped = [p for p in self.parameters() if p.requires_grad]

    def on_train_epoch_start(self) -> None:
        """Start the epoch's sums anew."""
        self._losses, self._rows, self._examples, self._norms = [], [], [], []

    def on_validation_epoch_end(self) -> None:
        """Score the validation split."""
        self._scores = self.objective.scores(self._validation)
        self._validation.clear()
        self._publish({f"validation_{name}": value for name, value in self._scores.items()})

    def on_train_epoch_end(self) -> None:
        """Log what the epoch's updates came to."""
        self._publish(self.train_values())

    def _publish(self, values: dict[str, float]) -> None:
        """Log values of a whole epoch.

        Where no logger listens they go straight to where callbacks look: `self.log` copies its own
        settings at each call, and took half as long as a small task's validation.
        """
        if self.trainer.loggers:
            self.log_dict(values)
        else:
            tensors = {name: torch.tensor(value) for name, value in values.items()}
            self.trainer.callback_metrics.update(tensors)

    def train_values(self) -> dict[str, float]:
        """Mean loss and gradient norm of the updates of the epoch so far."""
        losses, examples = torch.stack(self._losses), sum(self._examples)
        return {
            "gradient_norm": float(torch.stack(self._norms).mean()),
            "train_loss": float((losses * losses.new_tensor(self._rows)).sum()) / examples,
        }

    def epoch_row(self) -> dict[str, float]:
        """Numbers of the epoch that just ended, as `curves.csv` has them."""
        return {
            "learning_rate": float(self.trainer.optimizers[0].param_groups[0]["lr"]),
            **self.train_values(),
            **{f"validation_{name}": value for name, value in self._scores.items()},
        }

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip as the Trainer is told, and keep the norm that gradients had before.

        Lightning's own clipping measures the norm and throws it away, so a column of the curves
        would measure it again at every step; and it adds parameters up in the optimiser's order,
        which gives the norm other last bits than the module's.
        """
        if gradient_clip_algorithm in (None, "norm") and gradient_clip_val:
            norm = torch.nn.utils.clip_grad_norm_(self._clipped, gradient_clip_val)
        else:
            gradients = [p.grad for p in self._clipped if p.grad is not None]
            norm = torch.nn.utils.get_total_norm(gradients)
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)
        self._norms.append(norm)

    def configure_optimizers(self) -> Any:
        """AdamW whose rate follows `schedule`; biases and gains are not decayed.

        Raises:
            GatewiseError: the schedule needs an end, and the Trainer has none.
        """
        decayed = [p for p in self.parameters() if p.requires_grad and p.ndim > 1]
        kept = [p for p in self.parameters() if p.requires_grad and p.ndim <= 1]
        # A fused step undoes the scaling of half precision itself, which is after clipping.
        scaled = getattr(self.trainer.precision_plugin, "scaler", None) is not None
        optimiser = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": self.config.weight_decay},
                {"params": kept, "weight_decay": 0.0},
            ],
            lr=self.config.learning_rate,
            fused=self.device.type in ("cpu", "cuda") and not scaled,
        )
        scheduler = LambdaLR(optimiser, schedule(self.config, self._updates()))
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def _updates(self) -> int:
        """How many updates there will be, 0 if that is open and does not matter."""
        steps = self.trainer.estimated_stepping_batches
        if math.isfinite(steps):
            return int(steps)
        if self.config.schedule == "constant":
            return 0
        raise GatewiseError(
            f"schedule {self.config.schedule} needs to know its last update; give the Trainer "
            "max_epochs or max_steps, or take schedule: constant"
        )
