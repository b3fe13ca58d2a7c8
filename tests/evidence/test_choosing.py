import numpy as np
import pytest

from gatewise.config.metrics import METRICS
from gatewise.evidence.choosing import chance_of_another
from tests.counted import count


def run(right, groups=8, each=10):
    """One run's validation predictions: the first `right` of each group's examples are right."""
    labels = np.zeros(groups * each, dtype=np.int64)
    guesses = (np.arange(groups * each) % each >= right).astype(np.int64)
    probabilities = np.eye(2)[guesses]
    group = np.arange(groups * each) // each
    return count(labels, probabilities, group, [f"g{k}" for k in range(groups)])


def test_a_choice_that_every_group_and_seed_makes_is_certain():
    trials = [[run(5), run(6)], [run(8), run(9)]]
    assert chance_of_another(trials, METRICS["accuracy"], 1) == 0.0
    assert chance_of_another(trials, METRICS["accuracy"], 0) == 1.0
    assert chance_of_another(trials, METRICS["log_loss"], 1) == 0.0


def test_a_choice_by_seeds_that_disagree_is_not():
    trials = [[run(5), run(9)], [run(8), run(5)]]
    assert 0.1 < chance_of_another(trials, METRICS["accuracy"], 0) < 0.9


def test_equals_are_no_reason_to_doubt():
    trials = [[run(5)], [run(5)]]
    assert chance_of_another(trials, METRICS["accuracy"], 0) == 0.0
    assert chance_of_another([[run(5)]], METRICS["accuracy"], 0) == pytest.approx(0.0)


def test_one_seed_judged_by_one_group_tells_nothing():
    alone = [[run(5, groups=1)], [run(8, groups=1)]]
    assert chance_of_another(alone, METRICS["accuracy"], 1) is None
    assert chance_of_another([2 * runs for runs in alone], METRICS["accuracy"], 1) == 0.0
