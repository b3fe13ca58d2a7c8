import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional
from torchmetrics.functional.classification import multiclass_accuracy, multiclass_f1_score

from gatewise.artifacts.objectives.base import Answered
from gatewise.artifacts.objectives.classify import Objective
from gatewise.config.metrics import METRICS


def scores(logits: torch.Tensor, labels: torch.Tensor) -> dict[str, float]:
    lengths = torch.ones(len(labels), dtype=torch.int64)
    return Objective().scores([Answered(logits, lengths, labels)])


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(2, 12))
def test_scores_are_those_of_torch_in_single_precision(seed, examples, classes):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(examples, classes, generator=generator)
    labels = torch.randint(classes, (examples,), generator=generator)
    values = scores(logits, labels)
    assert values["accuracy"] == float(multiclass_accuracy(logits, labels, classes, "micro"))
    f1 = float(multiclass_f1_score(logits, labels, classes, "macro"))
    assert values["macro_f1"] == pytest.approx(f1, abs=1e-6)
    assert values["loss"] == float(functional.cross_entropy(logits, labels))
    # Computed from probabilities in single precision: near 1 they are 6e-8 apart.
    assert values["log_loss"] == pytest.approx(values["loss"], rel=1e-4, abs=1e-7)
    assert all(value == float(np.float32(value)) for value in values.values())


def test_every_metric_is_scored_and_old_columns_keep_their_places():
    values = scores(torch.eye(3), torch.arange(3))
    assert list(values) == ["accuracy", "macro_f1", "loss", "balanced_accuracy", "log_loss"]
    assert set(values) == {*Objective.metrics, "loss"}
    assert set(Objective.metrics) <= METRICS.keys()
    assert values["balanced_accuracy"] == 1


def test_log_loss_stays_finite_where_the_loss_of_training_does_not():
    values = scores(torch.tensor([[0.0, float("-inf")]]), torch.tensor([1]))
    assert values["loss"] == np.inf
    assert 80 < values["log_loss"] < 90


def test_half_precision_is_scored_by_what_is_stored():
    logits = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)).bfloat16()
    labels = torch.arange(50) % 4
    assert scores(logits, labels)["log_loss"] == scores(logits.float(), labels)["log_loss"]
