"""One run as a user of Lightning and MLflow writes it without gatewise.

A LightningModule around a module of `torch.nn`, a `DataLoader` over single examples, early
stopping and a checkpoint of the best epoch, `mlflow.pytorch.autolog`, all cores. Same sizes,
epochs, batches, optimiser, schedule and augmentation as the run of a plan; the test split is scored
at the end. Made for `benchmarks.verdict`, which starts it as a process of its own:

    python -m benchmarks.plain_lightning PLAN PREPARED [--seed 0]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import mlflow
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader

from benchmarks.plain import Batch, Classifier, Collate, Examples
from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.prepared import Prepared
from gatewise.models import budget
from gatewise.models.complexity import Sizes
from gatewise.training.module import schedule


class Plain(pl.LightningModule):
    """Trains and scores a classifier, logging as tutorials do."""

    def __init__(self, plan: RunPlan, sizes: Sizes) -> None:
        super().__init__()
        self.plan = plan
        self.model = Classifier(plan, sizes)

    def _step(self, batch: Batch, name: str) -> Tensor:
        inputs, lengths, labels = batch
        logits = self.model(inputs, lengths)
        smoothing = self.plan.train.label_smoothing if name == "train" else 0.0
        loss = functional.cross_entropy(logits, labels, label_smoothing=smoothing)
        accuracy = (logits.argmax(1) == labels).float().mean()
        values = {f"{name}_loss": loss, f"{name}_accuracy": accuracy}
        self.log_dict(values, on_step=False, on_epoch=True, batch_size=len(labels))
        return loss

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Loss of one batch."""
        return self._step(batch, "train")

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Scores of one batch."""
        self._step(batch, "validation")

    def test_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Scores of one batch."""
        self._step(batch, "test")

    def configure_optimizers(self) -> Any:
        """AdamW, its rate by update."""
        train = self.plan.train
        optimiser = torch.optim.AdamW(
            self.parameters(), lr=train.learning_rate, weight_decay=train.weight_decay
        )
        steps = int(self.trainer.estimated_stepping_batches)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimiser, schedule(train, steps))
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }


def resolved(plan: RunPlan, sizes: Sizes) -> RunPlan:
    """The plan with its width solved, and its epochs where those are the budget."""
    solved = budget.resolve(plan.config, plan.reference, sizes)
    epochs = max(1, round(plan.train.epochs * solved.epochs_factor))
    train = plan.train.model_copy(update={"epochs": epochs})
    return plan.model_copy(update={"config": solved.variant, "train": train})


def run(plan: RunPlan, seed: int, prepared: Prepared, folder: Path) -> float:
    """Train and test one seed, tracked under `folder`; gives the test accuracy."""
    pl.seed_everything(seed)
    sizes = Sizes.of(prepared.card)
    plan = resolved(plan, sizes)
    step_seconds = prepared.card.step_seconds

    def loader(split: str) -> DataLoader[Any]:
        training = split == "train"
        collate = Collate(seed, plan.augment if training else None, step_seconds)
        examples = Examples(prepared, seed, split)
        return DataLoader(examples, plan.train.batch_size, shuffle=training, collate_fn=collate)

    best = ModelCheckpoint(folder / "best", monitor="validation_accuracy", mode="max")
    callbacks: list[pl.Callback] = [best]
    if plan.train.patience is not None:
        callbacks.append(
            EarlyStopping("validation_accuracy", mode="max", patience=plan.train.patience)
        )
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=plan.train.epochs,
        gradient_clip_val=plan.train.clip_norm,
        callbacks=callbacks,
        default_root_dir=folder,
        logger=False,
        enable_progress_bar=False,
    )
    module = Plain(plan, sizes)
    with mlflow.start_run():
        trainer.fit(module, loader("train"), loader("validation"))
        scores = trainer.test(module, loader("test"), ckpt_path="best", weights_only=False)
        mlflow.log_metrics(dict(scores[0]))
    return float(scores[0]["test_accuracy"])


def seconds(plan: RunPlan, seed: int, prepared: Prepared) -> float:
    """Of one run in a process that has loaded everything, with a store that is there."""
    with tempfile.TemporaryDirectory() as name:
        mlflow.set_tracking_uri(f"sqlite:///{name}/mlflow.db")
        mlflow.set_experiment(plan.task)
        mlflow.pytorch.autolog()
        began = time.perf_counter()
        run(plan, seed, prepared, Path(name))
        return time.perf_counter() - began


def main() -> None:
    """Print the seconds of one run as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("plan", type=Path)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    wish = parser.parse_args()
    print(json.dumps(seconds(RunPlan.read(wish.plan), wish.seed, Prepared.open(wish.prepared))))


if __name__ == "__main__":
    main()
