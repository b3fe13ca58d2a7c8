"""Lightning without its empty calls: the same bits, and whoever has something to say is heard."""

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from gatewise.config import TrainConfig, VariantConfig
from gatewise.models.classifier import SequenceClassifier
from gatewise.models.complexity import Sizes
from gatewise.training import lean
from gatewise.training.datamodule import TaskData
from gatewise.training.module import SequenceLearning
from gatewise.training.scoring import weights_digest
from tests.tasks import write_task

STEPS = 6
"""Batches of 16 in an epoch."""
QUIET = {
    "accelerator": "cpu",
    "max_epochs": 2,
    "gradient_clip_val": 0.5,
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "num_sanity_val_steps": 0,
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return write_task(tmp_path_factory.mktemp("lean") / "prepared")


def parts(prepared, module=SequenceLearning, data=TaskData):
    """A fresh module and its data."""
    torch.manual_seed(0)
    config = VariantConfig(cell="lstm", hidden=6, dropout=0.2)
    model = SequenceClassifier(config, Sizes.of(prepared.card))
    config = TrainConfig(learning_rate=0.02)
    return module(model, config, prepared.card.asks), data(prepared, 0, 16)


def lean_fit(module, data, *callbacks, **settings):
    """Fit as the stage does; gives the Trainer."""
    lean.skip_empty_hooks([module, *callbacks])
    lean.remember_signatures(module)
    trainer = lean.LeanTrainer(
        **QUIET, **settings, strategy=lean.LeanStrategy("cpu"), callbacks=list(callbacks)
    )
    torch.manual_seed(1)
    trainer.fit(module, datamodule=data)
    return trainer


class Diary(Callback):
    """Writes down when it is called."""

    def __init__(self):
        self.heard = []


def hearing(*hooks):
    """A callback that implements some hooks."""

    def write(hook):
        return lambda self, trainer, *_: self.heard.append((hook, trainer.training))

    return type("Hearing", (Diary,), {hook: write(hook) for hook in hooks})()


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_the_same_bits_as_with_lightnings_own(prepared, precision):
    digests = []
    for is_lean in (False, True):
        module, data = parts(prepared)
        if is_lean:
            lean_fit(module, data, precision=precision)
        else:
            trainer = pl.Trainer(**QUIET, precision=precision)
            torch.manual_seed(1)
            trainer.fit(module, datamodule=data)
        digests.append((weights_digest(module.model.state_dict()), module.train_values()))
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    "hooks",
    [
        ("on_before_backward",),
        ("on_after_backward", "on_before_optimizer_step"),
        ("on_train_batch_start", "on_before_zero_grad", "on_train_batch_end"),
    ],
)
def test_callbacks_hear_of_every_step_that_they_ask_for(prepared, hooks):
    callback = hearing(*hooks)
    lean_fit(*parts(prepared), callback)
    assert callback.heard == [(hook, True) for hook in hooks] * (2 * STEPS)


def test_callbacks_hear_of_epochs_and_of_validation_within(prepared):
    hooks = ("on_train_epoch_start", "on_validation_end", "on_train_epoch_end")
    callback = hearing(*hooks)
    lean_fit(*parts(prepared), callback)
    assert callback.heard == [(hook, hook != "on_validation_end") for hook in hooks] * 2


def test_hooks_of_the_module_are_heard(prepared):
    class Listening(SequenceLearning):
        steps = 0

        def on_before_optimizer_step(self, optimizer):
            assert all(p.grad is not None for p in self.parameters())
            self.steps += 1

    module, data = parts(prepared, Listening)
    lean_fit(module, data)
    assert module.steps == 2 * STEPS


def test_hooks_of_the_data_are_heard(prepared):
    class Listening(TaskData):
        batches = 0

        def on_after_batch_transfer(self, batch, dataloader_idx):
            self.batches += 1
            return batch

    module, data = parts(prepared, data=Listening)
    lean_fit(module, data)
    assert data.batches == 2 * (STEPS + len(data.val_dataloader()))


def test_gradients_accumulate_and_are_clipped_once_an_update(prepared):
    module, data = parts(prepared)
    trainer = lean_fit(module, data, accumulate_grad_batches=2)
    assert trainer.global_step == STEPS
    assert len(module._norms) == STEPS / 2


def test_what_is_empty_is_not_called_and_nothing_else_is_taken_away(prepared):
    module, data = parts(prepared)
    callback = hearing("on_train_batch_end")
    lean_fit(module, data, callback)
    assert callback.on_train_batch_start is None
    assert callable(callback.on_train_batch_end)
    assert module.on_before_backward is None
    assert callable(module.on_train_epoch_start)
    assert Callback.on_train_batch_start is not None, "other callbacks keep theirs"
