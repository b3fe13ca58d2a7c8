"""Differences of paired predictions: every metric of the registry goes through these."""

import numpy as np
import pytest

from gatewise.artifacts.objectives.classify import Objective
from gatewise.config.metrics import count_predicted
from gatewise.delivery.gate.interval import difference
from tests.delivery.gate.simulated import ACCURACY, CLASSES, retraining

every_metric = pytest.mark.parametrize("metric", Objective.registered(), ids=Objective.metrics)


def score(metric, pair, run):
    counts = count_predicted(pair.label, run.predicted, run.losses, len(CLASSES))
    return metric.from_counts(counts)[0]


@every_metric
def test_the_difference_is_that_of_the_mean_scores(metric):
    pairs = retraining(np.random.default_rng(1), seeds=3, worse=0.1)
    found = difference(pairs, metric, 100)
    assert found.candidate == pytest.approx(np.mean([score(metric, p, p.candidate) for p in pairs]))
    assert found.reference == pytest.approx(np.mean([score(metric, p, p.reference) for p in pairs]))
    assert found.value == pytest.approx(found.candidate - found.reference)


@every_metric
@pytest.mark.parametrize("worse", [0.1, -0.1], ids=["worse", "better"])
def test_a_gain_is_above_zero_where_the_candidate_is_better(metric, worse):
    pairs = retraining(np.random.default_rng(2), seeds=4, worse=worse)
    gain = difference(pairs, metric, 200).gain(metric)
    low, high = gain.bounds(0.05)
    assert low < gain.value < high
    assert (gain.p_below() < 0.05, gain.p_above() < 0.05) == (worse > 0, worse < 0)


@every_metric
def test_a_model_against_itself_does_not_differ(metric):
    pairs = retraining(np.random.default_rng(3), seeds=3)
    same = [pair.__class__(**{**vars(pair), "reference": pair.candidate}) for pair in pairs]
    found = difference(same, metric, 100)
    assert (found.value, found.se, found.spread, found.lasting) == (0.0, 0.0, 0.0, 0.0)


@every_metric
def test_seeds_that_were_tested_on_groups_of_their_own_can_be_compared(metric):
    pairs = retraining(np.random.default_rng(4), seeds=6, groups=6, worse=0.1)
    apart = [pair.where(pair.groups == f"g{seed:02d}") for seed, pair in enumerate(pairs)]
    found = difference(apart, metric, 200)
    assert (found.seeds, found.units) == (6, 6)
    assert np.isfinite([found.value, found.se, found.degrees, found.lasting]).all()


def test_what_all_seeds_have_in_common_no_seed_averages_out():
    one = retraining(np.random.default_rng(5), seeds=1, worse=0.1, groups=200, per_group=5)[0]
    error = 0.1  # a standard error of a variance that 200 groups tell
    assert difference([one] * 6, ACCURACY, 100).lasting == pytest.approx(1 - error)
    lucky = retraining(np.random.default_rng(5), seeds=6, worse=0.1, groups=200, per_group=5)
    assert difference(lucky, ACCURACY, 100).lasting < 0.5


def test_nothing_is_said_of_less_than_two_examples():
    (pair,) = retraining(np.random.default_rng(6), seeds=1)
    first = np.arange(len(pair.label)) == 0
    assert difference([pair.where(first)], ACCURACY, 100) is None
    assert difference([pair.where(~first & first)], ACCURACY, 100) is None
    assert difference([], ACCURACY, 100) is None
