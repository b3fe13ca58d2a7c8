import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from gatewise.artifacts.objectives.classify import Objective
from gatewise.config.metrics import METRICS, count, count_predicted

CLASSES = 4
OF_SKLEARN = {
    "accuracy": lambda y, p: reference.accuracy_score(y, p.argmax(1)),
    "macro_f1": lambda y, p: reference.f1_score(y, p.argmax(1), average="macro"),
    "balanced_accuracy": lambda y, p: reference.balanced_accuracy_score(y, p.argmax(1)),
    "log_loss": lambda y, p: reference.log_loss(y, p, labels=range(CLASSES)),
}


@st.composite
def predictions(draw):
    n = draw(st.integers(2, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    labels = rng.integers(0, CLASSES, n)
    return labels, rng.dirichlet([0.5] * CLASSES, n), rng.integers(0, 3, n)


def test_every_metric_of_classes_has_an_independent_reference():
    assert OF_SKLEARN.keys() == {*Objective.metrics}
    assert OF_SKLEARN.keys() <= METRICS.keys()


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize("name", OF_SKLEARN)
@given(predictions())
def test_metrics_are_those_of_scikit_learn(name, drawn):
    labels, probabilities, _ = drawn
    score = METRICS[name].from_counts(count(labels, probabilities)[0])
    assert score == pytest.approx(OF_SKLEARN[name](labels, probabilities), abs=1e-9)


@pytest.mark.parametrize("name", OF_SKLEARN)
@given(predictions())
def test_counts_add_up_over_groups(name, drawn):
    labels, probabilities, group = drawn
    by_group = count(labels, probabilities, group, 3)
    assert by_group.sum(axis=0) == pytest.approx(count(labels, probabilities)[0])
    if not METRICS[name].by_class:
        pooled = by_group.sum(axis=-1, keepdims=True)
        from_pooled = METRICS[name].from_counts(pooled)
        assert from_pooled == pytest.approx(METRICS[name].from_counts(by_group), nan_ok=True)


def test_a_prediction_of_no_known_class_is_wrong_and_nothing_more():
    counts = count_predicted(np.array([0, 1]), np.array([-1, 1]), np.zeros(2), 2)[0]
    assert counts[:3].tolist() == [[0, 1], [0, 1], [1, 1]]


def test_a_probability_of_zero_costs_much_but_not_everything():
    loss = METRICS["log_loss"].from_counts(count(np.array([0]), np.array([[0.0, 1.0]]))[0])
    assert 80 < loss < 100


def test_differences_are_shown_in_the_unit_of_their_metric_and_turned_by_its_direction():
    accuracy, log_loss = METRICS["accuracy"], METRICS["log_loss"]
    assert accuracy.show(0.9612) == "96.1 %"
    assert accuracy.show_difference(0.00921) == "+0.92 points"
    assert log_loss.show(0.1434) == "0.143 nats"
    assert log_loss.show_difference(-0.00312) == "-0.0031 nats"
    assert accuracy.gain(0.1) == 0.1
    assert log_loss.gain(0.1) == -0.1
    assert (accuracy.mode, log_loss.mode) == ("max", "min")
    assert (accuracy.direction, log_loss.direction) == ("higher", "lower")
