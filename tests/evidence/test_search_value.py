import itertools

import numpy as np
import pytest

from gatewise.config.metrics import METRICS
from gatewise.evidence.search_value import budget_curve, expected_best
from tests.evidence.tunings import choice, trial

ACCURACY, LOSS = METRICS["accuracy"], METRICS["log_loss"]


def points(*scores):
    return [trial(i, score) for i, score in enumerate(scores)]


def test_expectation_and_band_are_those_of_all_draws_with_replacement():
    scores = [0.5, 0.3, 0.6, 0.7, 0.9]
    got = expected_best(points(*scores), ACCURACY)
    assert [point.trials for point in got] == [1, 2, 3, 4, 5]
    for n, point in enumerate(got[1:4], start=2):
        best = [max(scores[0], *draw) for draw in itertools.product(scores[1:], repeat=n - 1)]
        assert point.expected == pytest.approx(np.mean(best))
        low, high = np.quantile(best, [0.1, 0.9], method="inverted_cdf")
        assert (point.low, point.high) == (low, high)


def test_one_trial_is_what_the_declared_settings_give_and_more_never_hurt():
    got = expected_best(points(0.8, 0.2, 0.85, 0.9), ACCURACY)
    assert (got[0].low, got[0].expected, got[0].high) == (0.8, 0.8, 0.8)
    means = [point.expected for point in got]
    assert means == sorted(means)
    assert means[-1] < 0.9, "other points would not always hold the best one"


def test_of_a_loss_the_lowest_is_best():
    rising = expected_best(points(-0.8, -0.9, -0.3), ACCURACY)
    falling = expected_best(points(0.8, 0.9, 0.3), LOSS)
    assert [p.expected for p in falling] == [-p.expected for p in rising]
    assert falling[-1].low >= falling[-1].high


def test_a_diverged_point_is_the_worst_and_a_skipped_one_was_never_there():
    bad = [*points(0.5, 0.7), trial(2, None, "diverged")]
    worst = [*points(0.5, 0.7), trial(2, 0.5)]
    assert expected_best(bad, ACCURACY) == expected_best(worst, ACCURACY)
    skipped = [*points(0.5, 0.7), trial(2, None, "skipped")]
    assert expected_best(skipped, ACCURACY) == expected_best(points(0.5, 0.7), ACCURACY)
    assert expected_best([trial(0, None, "diverged")], ACCURACY) == ()


def test_points_that_followed_from_earlier_ones_are_shown_as_they_came():
    got = expected_best(points(0.5, 0.4, 0.9, 0.7), ACCURACY, adaptive=True)
    assert [point.expected for point in got] == [0.5, 0.5, 0.9, 0.9]


def test_a_pruned_point_is_no_better_than_what_came_to_an_end():
    """A short training can score better than a long one, but it is never what is chosen."""
    lucky = [*points(0.5, 0.7), trial(2, 0.95, "pruned")]
    assert expected_best(lucky, ACCURACY) == expected_best(points(0.5, 0.7, 0.5), ACCURACY)
    poor = [*points(0.5, 0.7), trial(2, 0.3, "pruned")]
    assert expected_best(poor, ACCURACY) == expected_best(points(0.5, 0.7, 0.3), ACCURACY)
    assert expected_best([*points(0.0), trial(1, 0.0, "pruned")], ACCURACY)[1].expected == 0.0


def test_choices_of_several_seeds_give_the_mean_of_their_curves():
    one, other = points(0.5, 0.7, 0.6), points(0.3, 0.9, 0.4)
    curve = budget_curve([choice(one), choice(other)], ACCURACY)
    for point, a, b in zip(
        curve, expected_best(one, ACCURACY), expected_best(other, ACCURACY), strict=True
    ):
        assert point.trials == a.trials
        assert point.expected == pytest.approx((a.expected + b.expected) / 2)
        assert point.low == pytest.approx((a.low + b.low) / 2)
