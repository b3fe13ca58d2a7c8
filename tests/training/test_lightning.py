"""The parts in a Trainer of somebody else's, with stock callbacks."""

import itertools
import re
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import (
    LearningRateMonitor,
    ModelCheckpoint,
    StochasticWeightAveraging,
    Timer,
)
from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.profilers import SimpleProfiler

from gatewise.artifacts.objectives.classify import Objective
from gatewise.config import TrainConfig, VariantConfig
from gatewise.models.classifier import SequenceClassifier
from gatewise.models.complexity import Sizes
from gatewise.training.datamodule import TaskData
from gatewise.training.module import SequenceLearning
from tests.tasks import write_task

EXAMPLES = 84
STEPS = 6
"""Batches of 16 in an epoch."""


@pytest.fixture
def fit(tmp_path):
    """Trains a small model with the Trainer that is described; gives Trainer and module."""

    def fit(**settings):
        prepared = write_task(tmp_path / "prepared")
        data = TaskData(prepared, 0, 16)
        assert (len(data.rows["train"]), len(data.train_dataloader())) == (EXAMPLES, STEPS)
        torch.manual_seed(0)
        model = SequenceClassifier(VariantConfig(cell="gru", hidden=6), Sizes.of(prepared.card))
        module = SequenceLearning(model, TrainConfig(learning_rate=0.02), Objective())
        trainer = pl.Trainer(
            **{
                "accelerator": "cpu",
                "default_root_dir": tmp_path,
                "logger": False,
                "enable_checkpointing": False,
                "enable_progress_bar": False,
                "enable_model_summary": False,
                **settings,
            }
        )
        trainer.fit(module, datamodule=data)
        return trainer, module

    return fit


def updates(trainer):
    """Updates that the optimiser has made, by its own count."""
    counts = {int(state["step"]) for state in trainer.optimizers[0].state.values()}
    (count,) = counts
    return count


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({"max_epochs": 2}, 2 * STEPS),
        ({"max_epochs": 2, "limit_train_batches": 2}, 4),
        ({"max_steps": 8}, 8),
        ({"fast_dev_run": True}, 1),
        ({"max_epochs": 2, "accumulate_grad_batches": 2}, STEPS),
        ({"max_epochs": 1, "accumulate_grad_batches": 4}, 2),
    ],
)
def test_a_step_is_an_update(fit, settings, steps):
    trainer, _ = fit(**settings)
    assert trainer.global_step == updates(trainer) == steps


def test_the_schedule_ends_with_the_last_update_whatever_the_trainer_is_told(fit):
    for settings in ({"max_steps": 8}, {"max_epochs": 3, "accumulate_grad_batches": 2}):
        trainer, _ = fit(**settings)
        assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("with_logger", [False, True])
def test_epochs_are_logged_for_stock_callbacks(fit, tmp_path, with_logger):
    logger = CSVLogger(tmp_path / "logs") if with_logger else False
    trainer, module = fit(max_epochs=3, logger=logger)
    logged = {name: float(value) for name, value in trainer.callback_metrics.items()}
    assert logged == pytest.approx(
        {name: value for name, value in module.epoch_row().items() if name != "learning_rate"}
    )
    assert {"train_loss", "gradient_norm", "validation_loss", "validation_log_loss"} <= set(logged)
    assert ("validation_loss" in trainer.logged_metrics) == with_logger


def test_the_loss_of_part_of_an_epoch_is_its_mean_over_what_was_seen(fit):
    _, module = fit(max_epochs=1, limit_train_batches=1)
    assert 0.8 < module.train_values()["train_loss"] < 1.6, "near the logarithm of three classes"


def test_learning_rates_are_monitored_step_by_step(fit, tmp_path):
    monitor = LearningRateMonitor("step")
    fit(max_epochs=2, logger=CSVLogger(tmp_path / "logs"), log_every_n_steps=1, callbacks=[monitor])
    (rates, same) = monitor.lrs.values()  # decayed weights, and the others
    assert rates == same
    assert len(rates) == 2 * STEPS
    assert len(set(rates)) == len(rates)


def test_checkpoints_within_an_epoch_and_by_metric(fit, tmp_path):
    steps = ModelCheckpoint(tmp_path / "steps", every_n_train_steps=4, save_top_k=-1)
    best = ModelCheckpoint(tmp_path / "best", monitor="validation_log_loss", mode="min")
    fit(max_epochs=2, enable_checkpointing=True, callbacks=[steps, best])
    names = sorted(path.stem for path in (tmp_path / "steps").iterdir())
    assert names == ["epoch=0-step=4", "epoch=1-step=12", "epoch=1-step=8"]
    assert len(list((tmp_path / "best").iterdir())) == 1
    assert best.best_model_score is not None


def test_a_timer_stops_within_an_epoch(fit, monkeypatch):
    # A second passes whenever the timer looks.
    clock = SimpleNamespace(monotonic=itertools.count().__next__)
    monkeypatch.setattr("pytorch_lightning.callbacks.timer.time", clock)
    trainer, _ = fit(max_epochs=1000, callbacks=[Timer({"seconds": 5}, interval="step")])
    assert 0 < trainer.global_step < STEPS
    assert updates(trainer) == trainer.global_step


def test_weights_are_averaged(fit):
    _, plain = fit(max_epochs=4)
    _, averaged = fit(max_epochs=4, callbacks=[StochasticWeightAveraging(0.01, swa_epoch_start=2)])
    pairs = zip(plain.parameters(), averaged.parameters(), strict=True)
    assert not any(torch.equal(a, b) for a, b in pairs)
    assert all(torch.isfinite(p).all() for p in averaged.parameters())


def test_profilers_see_every_step(fit):
    profiler = SimpleProfiler()
    fit(max_epochs=2, profiler=profiler)
    durations = profiler.recorded_durations
    assert len(durations["run_training_batch"]) == 2 * STEPS
    assert len(durations["[Strategy]SingleDeviceStrategy.training_step"]) == 2 * STEPS


def test_the_documented_example_runs(tmp_path, project, monkeypatch):
    text = (project / "docs/lightning.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    prepared = write_task(tmp_path / "data/prepared/digits")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(code, "docs/lightning.md", "exec"), names)
    logits = torch.cat(names["logits"])
    labels = torch.from_numpy(prepared.index["label"].to_numpy()[names["rows"]])
    assert (logits.argmax(1) == labels).float().mean() > 0.5
    assert list(tmp_path.glob("logs/best/*.ckpt"))
    assert list(tmp_path.glob("logs/**/metrics.csv"))
