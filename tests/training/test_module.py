import contextlib
import copy

import pytest
import pytorch_lightning as pl
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.plugins.precision import MixedPrecision
from torch.nn import functional

from gatewise.artifacts.objectives.classify import Objective
from gatewise.config import TrainConfig, VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models.classifier import SequenceClassifier
from gatewise.models.complexity import Sizes
from gatewise.training.datamodule import TaskData
from gatewise.training.module import SequenceLearning, schedule
from tests.tasks import write_task


def fitted(prepared, config, cell="gru", batch=16, **settings):
    """A model before and after training, and its data."""
    data = TaskData(prepared, 0, batch, None)
    torch.manual_seed(0)
    model = SequenceClassifier(VariantConfig(cell=cell, hidden=6), Sizes.of(prepared.card))
    before = copy.deepcopy(model)
    trainer = pl.Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
        **settings,
    )
    trainer.fit(SequenceLearning(model, config, Objective()), datamodule=data)
    return before, model, data


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_one_step_changes_every_parameter(tmp_path, cell):
    config = TrainConfig(schedule="constant")
    before, after, data = fitted(write_task(tmp_path), config, cell, batch=1000, max_epochs=1)
    assert len(data.train_dataloader()) == 1
    old = dict(before.named_parameters())
    assert [name for name, p in after.named_parameters() if torch.equal(p, old[name])] == []


def plain_loop(model, loader, config, *, precision=torch.float32, fused=True, clip=True):
    """Two epochs as one would write them by hand; gives the rates and norms of each epoch."""
    optimiser = torch.optim.AdamW(
        [
            {"params": [p for p in model.parameters() if p.ndim > 1]},
            {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        fused=fused,
    )
    factor = schedule(config, 2 * len(loader))
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
    model.train()
    rows = []
    for epoch in range(2):
        loader.sampler.set_epoch(epoch)
        norms, losses = [], []
        for batch in loader:
            with torch.autocast("cpu", torch.bfloat16, enabled=precision != torch.float32):
                logits = model(batch.inputs, batch.lengths)
                loss = functional.cross_entropy(
                    logits, batch.targets, label_smoothing=config.label_smoothing
                )
            optimiser.zero_grad()
            loss.backward()
            limit = config.clip_norm if clip else float("inf")
            norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), limit))
            losses.append(loss.detach() * len(batch.targets))
            optimiser.step()
            scheduler.step()
        rows.append(
            {
                "learning_rate": scheduler.get_last_lr()[0],
                "gradient_norm": float(torch.stack(norms).mean()),
                "train_loss": float(torch.stack(losses).sum()) / len(loader.sampler.rows),
            }
        )
    return rows


class Rows(Callback):
    """Keeps what the module says of each epoch."""

    def __init__(self):
        self.rows = []

    def on_train_epoch_end(self, _trainer, module):
        self.rows.append(module.epoch_row())


def scaled():
    """Mixed precision that scales its gradients, as half precision on a GPU does."""
    plugin = MixedPrecision("bf16-mixed", "cpu")
    plugin.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**20)
    return plugin


@pytest.mark.parametrize(
    ("settings", "plain"),
    [
        ({"precision": "32-true", "gradient_clip_val": 0.2}, {}),
        ({"precision": "32-true"}, {"clip": False}),
        (
            {"precision": "bf16-mixed", "gradient_clip_val": 0.2},
            {"precision": torch.bfloat16},
        ),
        # What scales gradients has to unscale them before they are clipped, so nothing is fused.
        (
            {"plugins": scaled(), "gradient_clip_val": 0.2},
            {"precision": torch.bfloat16, "fused": False},
        ),
    ],
    ids=["full", "not clipped", "mixed", "scaled"],
)
def test_epochs_are_those_of_a_plain_loop(tmp_path, settings, plain):
    config = TrainConfig(schedule="one-cycle", learning_rate=0.01, clip_norm=0.2)
    ours = Rows()
    model, trained, data = fitted(
        write_task(tmp_path), config, max_epochs=2, callbacks=[ours], **settings
    )
    loader = data.train_dataloader()
    assert len(loader) > 3
    rows = plain_loop(model, loader, config, **plain)
    for mine, theirs in zip(trained.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0)
    assert ours.rows == rows
    assert rows[0]["gradient_norm"] > config.clip_norm, "clipping has to be at work here"


def test_a_schedule_needs_an_end(tmp_path):
    for kind, max_time in (("constant", {"seconds": 1}), ("cosine", {"seconds": 1})):
        config = TrainConfig(schedule=kind)
        end = pytest.raises(GatewiseError, match="max_epochs or max_steps")
        with end if kind == "cosine" else contextlib.nullcontext():
            fitted(write_task(tmp_path / kind), config, max_epochs=-1, max_time=max_time)


@given(st.sampled_from(["one-cycle", "cosine", "constant"]), st.integers(1, 500))
def test_schedules_peak_at_one_and_end_low(kind, steps):
    factor = schedule(TrainConfig(schedule=kind), steps)
    values = [factor(step) for step in range(steps + 1)]
    assert all(0 <= value <= 1 for value in values)
    if kind == "constant":
        assert set(values) == {1.0}
        return
    peak = values.index(max(values))
    assert values[: peak + 1] == sorted(values[: peak + 1])
    assert values[peak:] == sorted(values[peak:], reverse=True)
    assert values[-1] == pytest.approx(0, abs=1e-9) or steps == 1
