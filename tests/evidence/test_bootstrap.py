import numpy as np
import pytest

from gatewise.config.metrics import METRICS
from gatewise.evidence import bootstrap
from tests.counted import count
from tests.evidence_runs import predictions

ACCURACY = METRICS["accuracy"]


def run(score, seed=0, groups=6, examples=120):
    frame = predictions(score, seed, examples, groups)
    codes, names = frame.group.factorize()
    return count(
        frame.label.to_numpy(), np.stack(list(frame.probabilities)), codes, list(names), str(seed)
    )


def test_a_variant_against_itself_has_no_noise_at_all():
    found = {v: {s: run(0.7 + 0.01 * s) for s in range(4)} for v in "ab"}
    analysis = bootstrap.analyse(found, [("a", "b")], ACCURACY, 0.05)
    assert analysis.pairs["a", "b"].ci == (0.0, 0.0)
    low, high = analysis.variants["a"].ci
    assert low < 0.715 < high
    assert analysis.groups == 6


def test_seeds_and_groups_are_told_apart():
    only_seeds = {"a": {s: run(0.5 + 0.1 * s, groups=2, examples=1000) for s in range(4)}}
    noise = bootstrap.analyse(only_seeds, [], ACCURACY, 0.05).variants["a"]
    assert noise.se_seeds == pytest.approx(np.std([0.5, 0.6, 0.7, 0.8]) / 2, rel=0.1)
    same_seeds = {"a": {s: run(0.7) for s in range(4)}}
    noise = bootstrap.analyse(same_seeds, [], ACCURACY, 0.05).variants["a"]
    assert noise.se_seeds == pytest.approx(0.0, abs=1e-12)
    assert noise.se_groups > 0.005


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "balanced_accuracy"])
def test_seeds_with_other_groups_are_stacked_by_name(metric):
    apart = [run(0.7, seed=1, groups=3), run(0.9, seed=2, groups=6)]
    stacked = bootstrap.stack(apart, sorted(set(apart[0].groups) | set(apart[1].groups)), 3)
    assert stacked.shape == (2, 6, 4, 3)
    assert stacked[0, 3:].sum() == 0
    found = {"a": dict(enumerate(apart))}
    low, high = bootstrap.analyse(found, [], METRICS[metric], 0.05).variants["a"].ci
    assert 0.6 < low < 0.8 < high < 1.0


def test_a_loss_is_resampled_in_its_own_value():
    found = {v: {s: run(score) for s in range(4)} for v, score in (("a", 0.9), ("b", 0.7))}
    analysis = bootstrap.analyse(found, [("a", "b")], METRICS["log_loss"], 0.05)
    # 0.9 for the predicted class and 0.05 for the others, right on so many of the examples.
    expected = {v: -(p * np.log(0.9) + (1 - p) * np.log(0.05)) for v, p in (("a", 0.9), ("b", 0.7))}
    for variant, loss in expected.items():
        low, high = analysis.variants[variant].ci
        assert low < loss < high
    assert analysis.pairs["a", "b"].ci[1] < 0


def test_too_little_to_resample():
    nothing = bootstrap.Analysis()
    assert bootstrap.analyse({"a": {0: run(0.7)}}, [], ACCURACY, 0.05) == nothing
    one_group = {"a": {s: run(0.7, groups=1) for s in range(3)}}
    assert bootstrap.analyse(one_group, [], ACCURACY, 0.05) == nothing
    assert bootstrap.analyse({}, [], ACCURACY, 0.05) == nothing
