"""Runs one after another as a user of Lightning and MLflow writes them without gatewise.

A LightningModule around a module of `torch.nn`, a `DataLoader` over single examples, early
stopping and a checkpoint of the best epoch, `mlflow.pytorch.autolog`, all cores. Same sizes,
epochs, batches, optimiser, schedule and augmentation as the runs of a study; the test split is
scored at the end. What studies may ask for beyond that (tuned settings, dropout, embeddings,
averaged weights) is left out, as it takes little. Made for `benchmarks.verdict`, which starts it as
a process of its own:

    python -m benchmarks.plain_lightning PROJECT --into loop.jsonl [--minutes 4]

It measures a run of each task and variant that it can train, then further seeds in turns while the
minutes last, and adds a line for each to the file; those that are there count as measured.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import mlflow
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader

from benchmarks.plain import KINDS, Batch, Classifier, Collate, Examples
from gatewise import config
from gatewise.artifacts.plan import RunPlan, lay_out
from gatewise.artifacts.prepared import Prepared
from gatewise.config import Study
from gatewise.config.objectives import DEFAULT
from gatewise.models import budget
from gatewise.models.complexity import Sizes
from gatewise.training.module import schedule

Key = tuple[str, str, int]
"""Task, variant, seed."""


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


def can_train(study: Study, plan: RunPlan) -> bool:
    """Whether `Classifier` is that model, but for what takes little time."""
    model = plan.config
    return (
        study.tasks[plan.task].objective.kind == DEFAULT
        and model.cell in KINDS
        and model.layers == 1
        and not model.bidirectional
        and model.projection is None
    )


def seconds(plan: RunPlan, seed: int, prepared: Prepared) -> float:
    """Of one run in a process that has loaded everything, with a store that is there."""
    with tempfile.TemporaryDirectory() as name:
        began = time.perf_counter()
        run(plan, seed, prepared, Path(name))
        return time.perf_counter() - began


def in_turns(plans: Sequence[RunPlan], spent: Mapping[Key, float], limit: float) -> Iterator[Key]:
    """Which run comes next: each plan's first seed, then the next ones while time lasts.

    Args:
        plans: of the study, with the seeds that there are.
        spent: seconds of those that were measured; grows while this is read.
        limit: seconds; of a seed after the first only those are begun that will likely end within.
    """
    for turn in range(max((len(plan.seeds) for plan in plans), default=0)):
        for plan in (plan for plan in plans if turn < len(plan.seeds)):
            key = (plan.task, plan.variant, plan.seeds[turn])
            own = [s for (task, variant, _), s in spent.items() if (task, variant) == key[:2]]
            likely = max(own, default=0.0)
            if key not in spent and (turn == 0 or sum(spent.values()) + likely <= limit):
                yield key


def read(path: Path) -> dict[Key, float]:
    """Seconds of the runs that a file has."""
    if not path.is_file():
        return {}
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {(row["task"], row["variant"], row["seed"]): float(row["seconds"]) for row in rows}


def loop(project: Path, into: Path, minutes: float) -> None:
    """Measure runs of a study whose tasks are prepared.

    Args:
        project: its checkout.
        into: file to which a line is added for each.
        minutes: for all of them, those that are there included.
    """
    study = config.load(project / "params.yaml")
    plans = [plan for plan in lay_out(study) if can_train(study, plan)]
    by_name = {(plan.task, plan.variant): plan for plan in plans}
    spent = read(into)
    turns = in_turns(plans, spent, 60 * minutes)
    for key in turns:  # MLflow takes seconds to make its store: only if there is something to do
        with tempfile.TemporaryDirectory() as name:
            mlflow.set_tracking_uri(f"sqlite:///{name}/mlflow.db")
            mlflow.set_experiment("loop")
            mlflow.pytorch.autolog()
            for task, variant, seed in itertools.chain([key], turns):
                prepared = Prepared.open(project / "data" / "prepared" / task)
                took = seconds(by_name[task, variant], seed, prepared)
                spent[task, variant, seed] = took
                _keep(into, task, variant, seed, took)


def _keep(into: Path, task: str, variant: str, seed: int, took: float) -> None:
    row = {"task": task, "variant": variant, "seed": seed, "seconds": round(took, 2)}
    with into.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(row) + "\n")
    print(f"plain Lightning, {task}/{variant} seed {seed}: {took:.1f} s", flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=4.0)
    wish = parser.parse_args()
    loop(wish.project, wish.into, wish.minutes)


if __name__ == "__main__":
    main()
