import numpy as np
import pytest

from gatewise.evidence import seeds_needed, sequential, statistics

ROPE, ALPHA, POWER = 0.005, 0.05, 0.8


def expected(differences, **changes):
    settings = {"rope": ROPE, "alpha": ALPHA, "power": POWER, "confidence": 0.95, **changes}
    return seeds_needed.expected(differences, **settings)


def test_a_large_difference_needs_hardly_more_than_the_test_itself():
    # Eight equal signs, +10.8 points: a pair like this is certain with the first seeds more.
    found = expected(0.108 + 0.04 * np.array([1, -1, 1, -1, 1, -1, 1, -1]), alpha=ALPHA / 6)
    assert found.seeds == statistics.fewest_seeds(ALPHA / 6)
    assert found.low <= found.seeds <= found.high < 40


def test_a_difference_at_the_edge_of_what_matters_takes_longest():
    spread = 0.006 * np.array([1, -1] * 6)
    wanted = [expected(mean + spread).seeds for mean in (0.0, 0.0025, 0.02)]
    assert wanted[1] > 2 * wanted[0]
    assert wanted[1] > 5 * wanted[2]


def test_the_direction_is_of_no_matter():
    d = np.array([0.01, 0.03, -0.005, 0.02, 0.012])
    assert expected(d) == expected(-d)


def test_more_seeds_narrow_the_interval():
    rng = np.random.default_rng(0)

    def width(seeds):
        several = (expected(0.01 + 0.01 * rng.standard_normal(seeds)) for _ in range(30))
        return np.mean([np.log(found.high / found.low) for found in several])

    assert width(6) > width(20) > width(100)


def test_one_seed_says_nothing_and_no_rope_nothing_of_equals():
    assert expected([0.01]) is None
    assert expected([0.01, -0.01], rope=0.0).seeds == seeds_needed.MOST


@pytest.mark.parametrize(("truth", "spread"), [(0.012, 0.012), (0.0, 0.004)])
def test_so_many_seeds_decide_at_the_wanted_power(truth, spread):
    rng, runs = np.random.default_rng(1), 300
    exact = truth + spread * np.array([1, -1] * 10) * np.sqrt(19 / 20)
    seeds = expected(exact).seeds
    decided = 0
    for _ in range(runs):
        d = truth + spread * rng.standard_normal(seeds)
        decided += statistics.sign_flip(d).two_sided <= ALPHA
        decided += (statistics.equivalence(d, ROPE) <= ALPHA) and truth == 0
    assert decided / runs >= POWER - 3 * np.sqrt(POWER * (1 - POWER) / runs)


def test_the_interval_covers_what_the_truth_asks_for():
    rng, runs, covered = np.random.default_rng(2), 200, 0
    truth, spread = 0.02, 0.012
    wanted = expected(truth + spread * np.array([1, -1] * 500)).seeds
    for _ in range(runs):
        found = expected(truth + spread * rng.standard_normal(10))
        covered += found.low <= wanted <= found.high
    assert covered / runs >= 0.9


# --- after looks -----------------------------------------------------------------------------

LOOKS = (4, 8, 12, 16)
FAMILY = ALPHA / 6


def decided_at(seeds, truth, spread, runs=200):
    """Share of races that decide a pair by their last look, one that was added at `seeds`."""
    rng, decided = np.random.default_rng(3), 0
    for _ in range(runs):
        d = truth + spread * rng.standard_normal(seeds)
        found = sequential.decide({"pair": d}, (*LOOKS, seeds), ROPE, FAMILY)
        decided += found["pair"].verdict != "undecided"
    return decided / runs


def test_looks_that_spent_some_of_the_level_are_paid_for():
    truth, spread = 0.008, 0.012
    exact = truth + spread * np.array([1, -1] * 8) * np.sqrt(15 / 16)
    at_once = expected(exact, alpha=FAMILY).seeds
    found = expected(exact, alpha=FAMILY, looks=LOOKS).seeds
    slack = 3 * np.sqrt(POWER * (1 - POWER) / 200)
    assert decided_at(found, truth, spread) >= POWER - slack
    assert decided_at(at_once, truth, spread) < POWER - slack
    assert found > at_once


def test_a_look_that_is_still_to_come_is_where_it_is_decided():
    exact = 0.03 + 0.012 * np.array([1, -1] * 4) * np.sqrt(7 / 8)
    assert expected(exact, alpha=FAMILY).seeds <= 12
    assert expected(exact, alpha=FAMILY, looks=LOOKS).seeds == 12
    assert expected(exact, alpha=FAMILY, looks=(8, 21)).seeds == 21


def test_beyond_all_looks_it_takes_one_more_seed_at_least():
    exact = 0.1 + 0.001 * np.array([1, -1] * 8)
    assert expected(exact, alpha=FAMILY, looks=LOOKS).seeds == 17


def test_far_out_next_to_nothing_was_spent():
    exact = 0.0005 + 0.03 * np.array([1, -1] * 8)
    at_once, later = (expected(exact, looks=looks).seeds for looks in ((), LOOKS))
    assert at_once <= later < 1.05 * at_once
