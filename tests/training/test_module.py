import pytest
import pytorch_lightning as pl
import torch
from hypothesis import given
from hypothesis import strategies as st

from gatewise.config import TrainConfig, VariantConfig
from gatewise.models import SequenceClassifier, Sizes
from gatewise.training.batches import TaskData
from gatewise.training.module import SequenceClassification, schedule
from tests.tasks import write_task


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_one_step_changes_every_parameter(tmp_path, cell):
    prepared = write_task(tmp_path)
    torch.manual_seed(0)
    model = SequenceClassifier(VariantConfig(cell=cell, hidden=6), Sizes.of(prepared.card))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    trainer = pl.Trainer(
        max_steps=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
    )
    config = TrainConfig(schedule="constant")
    trainer.fit(SequenceClassification(model, config), datamodule=TaskData(prepared, 0, 16, None))
    still = [name for name, p in model.named_parameters() if torch.equal(p, before[name])]
    assert still == []


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
