import numpy as np
import pytest

from gatewise.evidence import bootstrap, prediction_counts
from tests.evidence_runs import predictions


def outcome(score, seed=0, groups=6, examples=120):
    frame = predictions(score, seed, examples, groups)
    codes, names = frame.group.factorize()
    return prediction_counts.count(
        frame.label.to_numpy(), frame.predicted.to_numpy(), codes, list(names), str(seed)
    )


def test_a_variant_against_itself_has_no_noise_at_all():
    found = {v: {s: outcome(0.7 + 0.01 * s) for s in range(4)} for v in "ab"}
    of_variants, of_pairs = bootstrap.analyse(found, [("a", "b")], "accuracy", 0.05)
    assert of_pairs["a", "b"].ci == (0.0, 0.0)
    low, high = of_variants["a"].ci
    assert low < 0.715 < high
    assert of_variants["a"].groups == 6


def test_seeds_and_groups_are_told_apart():
    only_seeds = {"a": {s: outcome(0.5 + 0.1 * s, groups=2, examples=1000) for s in range(4)}}
    noise = bootstrap.analyse(only_seeds, [], "accuracy", 0.05)[0]["a"]
    assert noise.se_seeds == pytest.approx(np.std([0.5, 0.6, 0.7, 0.8]) / 2, rel=0.1)
    same_seeds = {"a": {s: outcome(0.7) for s in range(4)}}
    noise = bootstrap.analyse(same_seeds, [], "accuracy", 0.05)[0]["a"]
    assert noise.se_seeds == pytest.approx(0.0, abs=1e-12)
    assert noise.se_groups > 0.005


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_seeds_with_other_groups_are_stacked_by_name(metric):
    apart = [outcome(0.7, seed=1, groups=3), outcome(0.9, seed=2, groups=6)]
    stacked = bootstrap.stack(apart, sorted(set(apart[0].groups) | set(apart[1].groups)), 3)
    assert stacked.shape == (2, 6, 3, 3)
    assert stacked[0, 3:].sum() == 0
    found = {"a": dict(enumerate(apart))}
    low, high = bootstrap.analyse(found, [], metric, 0.05)[0]["a"].ci
    assert 0.6 < low < 0.8 < high < 1.0


def test_too_little_to_resample():
    assert bootstrap.analyse({"a": {0: outcome(0.7)}}, [], "accuracy", 0.05) == ({}, {})
    one_group = {"a": {s: outcome(0.7, groups=1) for s in range(3)}}
    assert bootstrap.analyse(one_group, [], "accuracy", 0.05) == ({}, {})
    assert bootstrap.analyse({}, [], "accuracy", 0.05) == ({}, {})
