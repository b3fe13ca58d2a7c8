"""Bounds of a difference over seeds and test groups together."""

import math

import numpy as np
import pytest

from gatewise.config.metrics import LABELLED, LOSS, METRICS, count_predicted
from gatewise.evidence import beyond_seeds
from gatewise.evidence.prediction_counts import PredictionCounts

ACCURACY = METRICS["accuracy"]


def counts(right: np.ndarray, groups: np.ndarray) -> PredictionCounts:
    """Answers to examples of two labels, of which `right` were right."""
    labels = np.arange(len(right)) % 2
    predicted = np.where(right, labels, 1 - labels)
    names, place = np.unique(groups, return_inverse=True)
    counted = count_predicted(labels, predicted, np.zeros(len(right)), 2, place, len(names))
    return PredictionCounts(tuple(map(str, names)), counted, None, "same", len(right))


def pair(draws, lead=0.0, seeds=3, groups=60, size=10, by_seed=0.0, by_group=0.0):
    """Runs and an opponent whose scores lie `lead` apart in truth.

    Args:
        draws: random generator.
        lead: of the runs.
        seeds: how many runs there are.
        groups: test groups.
        size: examples of each.
        by_seed: standard deviation of a run's lead.
        by_group: standard deviation of a group's lead.
    """
    group = np.repeat(np.arange(groups), size)
    own = draws.normal(0, by_group, groups)[group]
    opponent = counts(draws.random(len(group)) < 0.7, group)
    runs = {
        seed: counts(draws.random(len(group)) < 0.7 + lead + draws.normal(0, by_seed) + own, group)
        for seed in range(seeds)
    }
    return runs, dict.fromkeys(runs, opponent)


@pytest.mark.parametrize(
    "scatter",
    [{}, {"by_seed": 0.02}, {"by_group": 0.15}, {"by_seed": 0.02, "by_group": 0.15}],
    ids=["examples alone", "seeds", "groups", "both"],
)
def test_the_bound_holds_as_often_as_it_says(scatter):
    """Of leads that are truly zero at most a twentieth is called below zero, whatever scatters."""
    draws, wrong, times = np.random.default_rng(0), 0, 150
    for _ in range(times):
        found = beyond_seeds.lead(*pair(draws, **scatter), ACCURACY)
        wrong += found.upper(0.05) < 0
    assert wrong / times <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / times)


def test_three_seeds_decide_where_the_test_set_is_large():
    draws = np.random.default_rng(0)
    found = [beyond_seeds.lead(*pair(draws, lead=-0.1), ACCURACY) for _ in range(20)]
    assert sum(lead.upper(0.05) < 0 for lead in found) >= 18
    assert all(lead.groups == 60 for lead in found)


def test_what_seeds_scatter_counts_against_it():
    draws = np.random.default_rng(1)
    calm = [beyond_seeds.lead(*pair(draws), ACCURACY) for _ in range(10)]
    wild = [beyond_seeds.lead(*pair(draws, by_seed=0.25), ACCURACY) for _ in range(10)]
    assert np.median([lead.error for lead in wild]) > 2 * np.median([lead.error for lead in calm])
    assert np.median([lead.freedom for lead in wild]) < 5 < np.median([c.freedom for c in calm])


def test_a_test_set_that_is_the_same_again_says_no_more():
    """Twice as many examples of the same groups leave the scatter of groups as it is."""
    few, many = (
        np.median(
            [
                beyond_seeds.lead(
                    *pair(np.random.default_rng(seed), by_group=0.3, size=size), ACCURACY
                ).error
                for seed in range(8)
            ]
        )
        for size in (20, 40)
    )
    assert many > 0.8 * few


@pytest.mark.parametrize("changes", [{"seeds": 1}, {"groups": 9}])
def test_too_little_says_nothing(changes):
    assert beyond_seeds.lead(*pair(np.random.default_rng(0), **changes), ACCURACY) is None


def test_other_examples_are_no_pairs():
    draws = np.random.default_rng(0)
    runs, _ = pair(draws)
    _, others = pair(draws, groups=59)
    assert beyond_seeds.lead(runs, others, ACCURACY) is None
    assert beyond_seeds.lead(runs, {}, ACCURACY) is None


def test_a_loss_that_is_lower_leads():
    draws = np.random.default_rng(0)
    runs, opponent = pair(draws, lead=0.2)
    assert beyond_seeds.lead(runs, opponent, ACCURACY).mean > 0.1
    for told, each in ((runs, 0.3), (opponent, 0.5)):
        for run in told.values():
            run.counts[:, LOSS] = each * run.counts[:, LABELLED]
    assert beyond_seeds.lead(runs, opponent, METRICS["log_loss"]).mean == pytest.approx(0.2)


def test_stored_counts_are_those_of_the_predictions():
    draws = np.random.default_rng(0)
    _, opponent = pair(draws)
    own = opponent[0]
    stored = {
        name: tuple(
            (int(r), int(c), float(own.counts[place, r, c]))
            for r, c in np.argwhere(own.counts[place])
        )
        for place, name in enumerate(own.groups)
    }
    again = beyond_seeds.counted(stored, like=own)
    assert dict(zip(again.groups, again.counts.tolist(), strict=True)) == dict(
        zip(own.groups, own.counts.tolist(), strict=True)
    )
