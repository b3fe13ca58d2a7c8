"""One whole run against a bare PyTorch loop that does the same work.

Both take turns in one process. Compared are whole epochs: batches, steps, validation, scores and
the copy of the best weights; ours also records curves and writes a checkpoint. What a checkpoint
takes is measured where it is written, what the loader takes by running it dry.

    python -m benchmarks.run [--quick]
"""

from __future__ import annotations

import contextlib
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch.nn import functional

from benchmarks import tasks
from benchmarks.result import Result, main, measured, ratios
from gatewise import streams
from gatewise.artifacts.objectives.base import Answered
from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.prepared import Prepared
from gatewise.models.building import build
from gatewise.models.complexity import Sizes
from gatewise.training import one_run
from gatewise.training.callbacks import OnEpoch
from gatewise.training.checkpoint import Saver
from gatewise.training.datamodule import TaskData
from gatewise.training.job import Job
from gatewise.training.module import schedule


def bare(plan: RunPlan, seed: int, prepared: Prepared, on_epoch: OnEpoch) -> None:
    """The run as one would write it without any framework."""
    data = TaskData(prepared, seed, plan.train.batch_size, plan.augment)
    torch.manual_seed(streams.torch_seed(seed, "init"))
    model = build(plan.config, Sizes.of(prepared.card))
    if prepared.card.normalise == "train":
        model.set_input_statistics(*data.input_statistics())
    loader, validation = data.train_dataloader(), data.val_dataloader()
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1]},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    rate, decay = plan.train.learning_rate, plan.train.weight_decay
    optimiser = torch.optim.AdamW(groups, lr=rate, weight_decay=decay, fused=True)
    steps = plan.train.epochs * len(loader)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimiser, schedule(plan.train, steps))
    for epoch in range(plan.train.epochs):
        loader.sampler.set_epoch(epoch)  # type: ignore[union-attr]
        model.train()
        for batch in loader:
            optimiser.zero_grad()
            loss = functional.cross_entropy(model(batch.inputs, batch.lengths), batch.targets)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), plan.train.clip_norm)
            optimiser.step()
            scheduler.step()
        model.eval()
        with torch.no_grad():
            parts = [
                Answered(model(batch.inputs, batch.lengths), *batch[1:]) for batch in validation
            ]
        values = prepared.card.asks.scores(parts)
        {name: tensor.clone() for name, tensor in model.state_dict().items()}
        on_epoch(epoch + 1, values)


def epochs(run: Callable[[OnEpoch], object]) -> list[float]:
    """Seconds from the end of each epoch to that of the next."""
    ends: list[float] = []
    run(lambda *_: ends.append(time.thread_time()))
    return [b - a for a, b in itertools.pairwise(ends)]


def ours(plan: RunPlan, folder: Path) -> Callable[[OnEpoch], object]:
    """Our run, into a fresh folder."""

    def run(on_epoch: OnEpoch) -> None:
        with tempfile.TemporaryDirectory() as name:
            target, checkpoint = Path(name, "run"), Path(name, "run.ckpt")
            target.mkdir()
            one_run.train(Job(plan, 0, "key", folder, target, checkpoint), on_epoch)

    return run


@contextlib.contextmanager
def checkpoints() -> Iterator[list[float]]:
    """Seconds of every checkpoint that is written meanwhile.

    A difference of epochs with and without says less: they vary by more than a checkpoint takes.
    """
    seconds: list[float] = []
    save = Saver.on_train_epoch_end

    def timed(*arguments: Any) -> None:
        began = time.thread_time()
        save(*arguments)
        seconds.append(time.thread_time() - began)

    with mock.patch.object(Saver, save.__name__, timed):
        yield seconds


def loading(plan: RunPlan, prepared: Prepared) -> float:
    """Seconds of an epoch's training batches alone."""
    loader = TaskData(prepared, 0, plan.train.batch_size, plan.augment).train_dataloader()
    began = time.thread_time()
    for _ in loader:
        pass
    return time.thread_time() - began


def measure(quick: bool) -> list[Result]:
    """Three tasks shaped like the default study's."""
    torch.set_num_threads(1)
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # as in the processes of the pool
    results = []
    for kind, cell, examples in (
        ("clips", "lstm", 6000),
        ("frames", "gru", 1900),
        ("text", "lstm", 12000),
    ):
        with tempfile.TemporaryDirectory() as name, checkpoints() as saves:
            folder = Path(name, "task")
            prepared = tasks.write(folder, kind, examples // 4 if quick else examples)
            # As many epochs as the study's: the first and the last are always saved.
            plan = tasks.plan(kind, cell=cell)
            contenders: dict[str, Callable[[OnEpoch], object]] = {
                "bare": lambda on_epoch, p=plan, d=prepared: bare(p, 0, d, on_epoch),  # type: ignore[misc]
                "ours": ours(plan, folder),
            }
            seconds: dict[str, list[float]] = {who: [] for who in contenders}
            loads = []
            for number in range(2 if quick else 5):
                # Slow spells last for seconds: nobody is always first.
                for who in list(contenders)[:: -1 if number % 2 else 1]:
                    seconds[who] += epochs(contenders[who])
                loads.append(loading(plan, prepared))
        title = f"{kind}, {cell}-64"
        results.append(
            measured(
                f"{title}: epoch", seconds["ours"], "s",
                what="to a bare loop", checked=ratios(seconds["ours"], seconds["bare"]), limit=1.15,
            )
        )  # fmt: skip
        for what, part, limit in (("loading an epoch", loads, 0.03), ("checkpoint", saves, 0.02)):
            # Not every epoch is saved: means, not medians.
            share = statistics.mean(part) / statistics.mean(seconds["ours"])
            results.append(
                measured(
                    f"{title}: {what}", part, "s",
                    what="share of an epoch", checked=share, limit=limit,
                )
            )  # fmt: skip
    return results


if __name__ == "__main__":
    main(measure, __doc__)
