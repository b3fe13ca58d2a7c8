"""What a study can tell before it is trained."""

import math

import numpy as np
import pytest

from gatewise.artifacts.costs import CostReport
from gatewise.config import CompareConfig
from gatewise.config.metrics import METRICS
from gatewise.evidence import foresight, promise, promise_words, statistics
from tests.evidence_runs import (
    answer,
    cost_report,
    study,
    summary,
    task_comparison,
    variant_cost,
    whole_comparison,
)

SETTINGS, ACCURACY = CompareConfig(), METRICS["accuracy"]


def made(seeds=8, examples=800, shared=True, tests=1, **keys):
    return promise.make(SETTINGS, tests, seeds, examples, shared=shared, **keys)


def test_what_is_promised_is_found_as_often_as_said():
    rng, runs, found = np.random.default_rng(0), 400, 0
    ratio = promise.detectable(12, 0.05, 0.8)
    for _ in range(runs):
        found += statistics.sign_flip(ratio + rng.standard_normal(12)).two_sided <= 0.05
    assert found / runs == pytest.approx(0.8, abs=0.07)


def test_too_few_seeds_can_find_nothing_and_more_find_less():
    assert promise.detectable(5, 0.05, 0.8) is None
    ratios = [promise.detectable(n, 0.05, 0.8) for n in (6, 8, 15, 30)]
    assert ratios == sorted(ratios, reverse=True)
    said = promise_words.sentences(made(seeds=4), ACCURACY, 0.8)
    assert said[0] == "4 seeds cannot decide a primary pair; 6 can."


def test_a_shared_test_set_is_a_limit_that_seeds_do_not_lift():
    assert (
        made(8).limit == made(1000).limit == pytest.approx(1.96 * math.sqrt(0.05 / 800), rel=1e-3)
    )
    assert made(8).limit_of_more == pytest.approx(made(8, examples=3200).limit)
    assert made(8, shared=False).limit is None
    said = promise_words.sentences(made(), ACCURACY, 0.8)
    assert said[-1] == (
        "What holds on other examples, too: 800 test examples cannot show less than 1.6 points, "
        "however many seeds; 3,200 could show 0.8 points."
    )


def test_scatter_that_was_seen_takes_the_place_of_the_least():
    before, after = made(), made(spread=0.011)
    assert not before.measured
    assert after.measured
    assert after.smallest == pytest.approx(before.spreads * 0.011)
    assert "as differences scattered before" in promise_words.sentences(after, ACCURACY, 0.8)[0]
    unknown = made(examples=None)
    assert "times their scatter over seeds" in promise_words.sentences(unknown, ACCURACY, 0.8)[0]


def test_promise_and_outcome_stand_side_by_side():
    found = promise.outcome(SETTINGS, 1, [0.01, 0.02, 0.012], 8)
    assert found.spread == 0.012
    text = promise_words.compared(made(), found, ACCURACY)
    assert "Promised at best: differences of 0.9 points with 8 seeds." in text
    assert "as differences scattered by 1.2 points" in text
    assert promise.outcome(SETTINGS, 1, [], 1) is None


def test_foresight_takes_what_lies_in_the_project(tmp_path):
    declared = study(seeds=8)
    bare = foresight.foresee(declared, "toy", tmp_path)
    assert (bare.examples, bare.smallest) == (None, None)
    outcome = promise.outcome(SETTINGS, 1, [0.02], 8)
    task = task_comparison({"gru": summary(0.9)}, answer=answer("gru"), outcome=outcome)
    whole_comparison({"toy": task}).write(tmp_path / "reports" / "comparison.json")
    assert foresight.foresee(declared, "toy", tmp_path).spread == 0.02


def test_time_follows_from_costs_that_were_measured_here(tmp_path):
    declared = study(seeds={"first": 8, "step": 4, "cap": 12})
    assert foresight.training_seconds(declared, "toy", tmp_path) is None
    report: CostReport = cost_report(lstm=variant_cost(1.0), gru=variant_cost(1.0))
    report.write(tmp_path / "reports" / "cost" / "toy.json")
    # Twelve seeds at most, two variants, ten epochs of two and a half seconds.
    assert foresight.training_seconds(declared, "toy", tmp_path) == 12 * 2 * 10 * 2.5
