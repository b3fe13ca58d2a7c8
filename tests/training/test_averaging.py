"""The mean of the last epochs' weights."""

import pytest
import torch

from gatewise.training import averaging
from gatewise.training.fit import fit
from tests.tasks import make_plan, write_task


def weights(tmp_path, **train):
    """The weights that a run keeps, and the fit."""
    fitted = fit(make_plan(**train), 0, write_task(tmp_path))
    return fitted.module.model.state_dict(), fitted


@pytest.fixture
def by_epoch(tmp_path, monkeypatch):
    """Weights after each of four epochs, kept by a run that averages all of them."""
    kept = []
    mean = averaging.LastEpochs.mean
    monkeypatch.setattr(
        averaging.LastEpochs, "mean", lambda self: kept.extend(self.states) or mean(self)
    )
    weights(tmp_path, epochs=4, average_last=9)
    monkeypatch.undo()
    return kept


@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
def test_the_last_epochs_are_averaged(tmp_path, by_epoch, count):
    assert len(by_epoch) == 4
    found, fitted = weights(tmp_path, epochs=4, average_last=count)
    last = by_epoch[-count:]
    for name, value in found.items():
        assert torch.equal(value, torch.stack([state[name] for state in last]).mean(dim=0)), name
    assert fitted.best_epoch == 4


def test_nothing_else_changes(tmp_path):
    _, plain = weights(tmp_path, epochs=3)
    _, averaged = weights(tmp_path, epochs=3, average_last=2)
    assert plain.curves == averaged.curves


def test_early_stopping_says_which_epochs_are_the_last(tmp_path):
    settings = {"epochs": 60, "patience": 2, "schedule": "constant", "learning_rate": 0.2}
    _, fitted = weights(tmp_path, average_last=2, **settings)
    assert fitted.best_epoch == len(fitted.curves) < 60
