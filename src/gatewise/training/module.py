"""The LightningModule: sequence classification with any variant, under equal conditions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytorch_lightning as pl
import torch
from torch.amp import GradScaler
from torch.nn import functional
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from gatewise.config import TrainConfig
from gatewise.models.classifier import SequenceClassifier
from gatewise.training.datamodule import Batch
from gatewise.training.scoring import scores


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


class SequenceClassification(pl.LightningModule):
    """Trains `model` with AdamW; `epoch_row` sums an epoch up for whoever listens.

    Sums stay on the device until the epoch ends: `self.log` at every step would cost small
    models more than their arithmetic. So would what Lightning does from batch to batch: an epoch
    is one step to it, whose updates are written out here.
    """

    def __init__(self, model: SequenceClassifier, config: TrainConfig) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model = model
        self.config = config
        self._scores: dict[str, float] = {}
        self._train: list[torch.Tensor] = []
        self._norms: list[torch.Tensor] = []
        self._validation: list[tuple[torch.Tensor, torch.Tensor]] = []

    def training_step(self, dataloader_iter: Iterator[tuple[Any, int, int]]) -> None:
        """An epoch's updates; the argument's name asks Lightning for all of its batches."""
        optimiser, scheduler = self.trainer.optimizers[0], self.lr_schedulers()
        assert isinstance(scheduler, LRScheduler)  # noqa: S101
        # Half precision on a GPU has one; this one hands everything through.
        scaler = getattr(self.trainer.precision_plugin, "scaler", None) or GradScaler(enabled=False)
        for batch, *_ in dataloader_iter:
            loss = self.loss(self._received(batch))
            optimiser.zero_grad()
            self.trainer.strategy.pre_backward(loss)
            # Gradients have the precision of what they belong to.
            with torch.autocast(self.device.type, enabled=False):
                scaler.scale(loss).backward()
            scaler.unscale_(optimiser)
            norm = torch.nn.utils.clip_grad_norm_(self.parameters(), self.config.clip_norm)
            self._norms.append(norm)
            scaler.step(optimiser)
            scaler.update()
            scheduler.step()

    def _received(self, batch: Any) -> Any:
        """The batch in the run's precision and on its device."""
        batch = self.trainer.precision_plugin.convert_input(batch)
        # On a CPU it is there, and Lightning would take its time to find that out.
        return batch if self.device.type == "cpu" else self.trainer.strategy.batch_to_device(batch)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Mean cross-entropy of one batch, noted for the epoch's sum."""
        loss = functional.cross_entropy(
            self.model(batch.inputs, batch.lengths),
            batch.labels,
            label_smoothing=self.config.label_smoothing,
        )
        self._train.append(loss.detach() * len(batch.labels))
        return loss

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Collect logits; scores need all of them."""
        self._validation.append((self.model(batch.inputs, batch.lengths), batch.labels))

    def predict_step(self, batch: Batch, _index: int) -> torch.Tensor:
        """Logits of one batch."""
        logits: torch.Tensor = self.model(batch.inputs, batch.lengths)
        return logits

    def on_validation_epoch_end(self) -> None:
        """Score the validation split."""
        logits, labels = (torch.cat(part) for part in zip(*self._validation, strict=True))
        self._validation.clear()
        self._scores = scores(logits, labels)
        # For EarlyStopping, which reads logged values only.
        self.log_dict({f"validation_{name}": value for name, value in self._scores.items()})

    def epoch_row(self) -> dict[str, float]:
        """Numbers of the epoch that just ended; the sums start anew."""
        examples = len(self.trainer.datamodule.rows["train"])  # type: ignore[attr-defined]
        row = {
            "learning_rate": float(self.trainer.optimizers[0].param_groups[0]["lr"]),
            "gradient_norm": float(torch.stack(self._norms).mean()),
            "train_loss": float(torch.stack(self._train).sum()) / examples,
            **{f"validation_{name}": value for name, value in self._scores.items()},
        }
        self._train.clear()
        self._norms.clear()
        return row

    def configure_optimizers(self) -> Any:
        """AdamW whose rate follows `schedule`; biases and gains are not decayed."""
        decayed = [p for p in self.parameters() if p.requires_grad and p.ndim > 1]
        kept = [p for p in self.parameters() if p.requires_grad and p.ndim <= 1]
        optimiser = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": self.config.weight_decay},
                {"params": kept, "weight_decay": 0.0},
            ],
            lr=self.config.learning_rate,
            fused=self.device.type in ("cpu", "cuda"),
        )
        steps = int(self.trainer.estimated_stepping_batches)
        scheduler = LambdaLR(optimiser, schedule(self.config, steps))
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }
