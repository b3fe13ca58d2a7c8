"""The promises about error rates, kept in simulation.

Every bound is the promise plus three standard errors of the simulation, so that a test fails
when the promise is broken and not by chance.
"""

import numpy as np
import pytest

from gatewise.config import Rounds
from gatewise.config.metrics import METRICS
from gatewise.evidence import bootstrap, pairs, sequential, statistics
from tests.counted import count

ALPHA, ROPE = 0.05, 0.005


def at_most(rate, promise, runs):
    assert rate <= promise + 3 * np.sqrt(promise * (1 - promise) / runs), rate


def verdicts(differences):
    """The rule over one study's primary pairs `(pairs, seeds)`."""
    p = statistics.holm([statistics.sign_flip(d).two_sided for d in differences])
    e = statistics.holm([statistics.equivalence(d, ROPE) for d in differences])
    means = [d.mean() for d in differences]
    return [pairs.decide(m, x, y, ALPHA) for m, x, y in zip(means, p, e, strict=True)]


@pytest.mark.parametrize("shape", ["normal", "skewed twins", "rounded"])
def test_identical_variants_are_seldom_called_different(shape):
    rng, runs = np.random.default_rng(1), 600
    wrong = 0
    for _ in range(runs):
        if shape == "skewed twins":  # each score is skewed; paired differences are symmetric
            scores = 0.02 * rng.exponential(size=(2, 3, 10))
        else:
            scores = 0.02 * rng.standard_normal((2, 3, 10))
        if shape == "rounded":  # a small test set: many ties
            scores = scores.round(2)
        wrong += any(v in "ab" for v in verdicts(scores[0] - scores[1]))
    at_most(wrong / runs, ALPHA, runs)


@pytest.mark.slow
def test_identical_variants_are_seldom_called_different_when_seeds_are_added():
    rng, runs, looks = np.random.default_rng(2), 400, Rounds(first=8, step=4, cap=24).looks
    wrong = 0
    for _ in range(runs):
        d = 0.02 * (rng.standard_normal((2, looks[-1])) - rng.standard_normal((2, looks[-1])))
        found = sequential.decide({"x": d[0], "y": d[1]}, looks, ROPE, ALPHA)
        wrong += any(decision.verdict in "ab" for decision in found.values())
    at_most(wrong / runs, ALPHA, runs)


def test_a_difference_of_one_rope_is_seldom_called_equivalent():
    rng, runs = np.random.default_rng(3), 600
    wrong = sum(
        "equivalent" in verdicts(ROPE + 0.004 * rng.standard_normal((2, 12))) for _ in range(runs)
    )
    at_most(wrong / runs, ALPHA, runs)


@pytest.mark.parametrize(("truth", "wanted"), [(ROPE, "ab"), (0.0, "equivalent")])
def test_as_many_seeds_as_asked_for_decide_at_the_promised_power(truth, wanted):
    rng, runs, spread, power = np.random.default_rng(4), 400, 0.008, 0.8
    seeds = statistics.seeds_for_power(spread, ROPE, ALPHA, power)
    hits = sum(
        verdicts(truth + spread * rng.standard_normal((1, seeds)))[0] in wanted for _ in range(runs)
    )
    # The formula is the t-test's; the exact test may fall a little short of it.
    assert hits / runs >= power - 3 * np.sqrt(power * (1 - power) / runs)


def test_a_planted_difference_is_found_with_eight_seeds_and_six_pairs():
    rng, runs = np.random.default_rng(5), 200
    found = 0
    for _ in range(runs):
        d = np.concatenate([np.full(1, 0.03), np.zeros(5)])[:, None]
        found += verdicts(d + 0.008 * rng.standard_normal((6, 8)))[0] == "a"
    assert found / runs >= 0.95


def simulate_task(rng, seeds=10, groups=25, per_group=20, favour=0.0):
    """Two variants that are equal over all groups; `favour`: each suits other groups better.

    Examples of a group are correlated: a run may be lucky with a whole group.
    """
    leaning = favour * rng.standard_normal(groups)
    found = {}
    for variant, sign in (("a", 1), ("b", -1)):
        found[variant] = {}
        for seed in range(seeds):
            chance = 0.8 + sign * leaning + 0.05 * rng.standard_normal(groups)
            right = rng.random((groups, per_group)) < np.clip(chance, 0, 1)[:, None]
            label = np.zeros(right.size, dtype=int)
            found[variant][seed] = count(
                label, np.eye(2)[1 - right.ravel().astype(int)],
                np.repeat(np.arange(groups), per_group),
                [f"g{i:02d}" for i in range(groups)],
            )  # fmt: skip
    return found


def accuracies(of_seed):
    return np.array([np.trace(o.confusion) / o.confusion.sum() for o in of_seed.values()])


def test_correlated_test_groups_do_not_fool_the_seeds():
    rng, runs = np.random.default_rng(6), 300
    wrong = 0
    for _ in range(runs):
        found = simulate_task(rng)
        wrong += verdicts([accuracies(found["a"]) - accuracies(found["b"])])[0] in "ab"
    at_most(wrong / runs, ALPHA, runs)


@pytest.mark.slow
def test_the_interval_over_groups_covers_what_seeds_alone_miss():
    rng, runs = np.random.default_rng(7), 150
    missed_by_seeds = missed = 0
    for _ in range(runs):
        found = simulate_task(rng, favour=0.05)
        d = accuracies(found["a"]) - accuracies(found["b"])
        missed_by_seeds += verdicts([d])[0] in "ab"
        accuracy = METRICS["accuracy"]
        noise = bootstrap.analyse(found, [("a", "b")], accuracy, ALPHA, resamples=400).pairs
        low, high = noise["a", "b"].ci
        missed += not low <= 0 <= high
    assert missed_by_seeds / runs > 0.2  # on this very test set one is truly better
    at_most(missed / runs, 1.4 * ALPHA, runs)  # a bootstrap over 25 groups is a little narrow
