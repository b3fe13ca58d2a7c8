"""Designed splits: everybody tests equally often, and every pair meets."""

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.artifacts import balanced, splits
from gatewise.config import SplitConfig
from gatewise.errors import GatewiseError

SIX = ["george", "jackson", "lucas", "nicolas", "theo", "yweweler"]
DIGITS = SplitConfig(validation=0.17, test=0.33, resample="balanced")


def parts(names, config, seed):
    chosen = splits.assign(names, config, seed)
    return {
        part: {name for name, where in zip(names, chosen, strict=True) if where == part}
        for part in ("train", "validation", "test")
    }


def test_six_people_meet_in_fifteen_seeds_each_pair_once():
    tested = [frozenset(parts(SIX, DIGITS, seed)["test"]) for seed in range(15)]
    assert set(tested) == {frozenset(pair) for pair in combinations(SIX, 2)}
    for start in range(0, 15, 3):
        assert set().union(*tested[start : start + 3]) == set(SIX)


def test_everybody_validates_about_equally_often():
    counts = Counter(name for s in range(15) for name in parts(SIX, DIGITS, s)["validation"])
    assert set(counts) == set(SIX)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_another_cycle_is_another_order():
    cycles = [
        [frozenset(parts(SIX, DIGITS, 15 * cycle + k)["test"]) for k in range(15)]
        for cycle in range(3)
    ]
    assert cycles[0] != cycles[1] != cycles[2]
    assert set(cycles[0]) == set(cycles[1]) == set(cycles[2])


def test_a_split_depends_on_the_seed_alone_and_not_on_who_asked_before():
    late = parts(SIX, DIGITS, 40)
    balanced._schedule.cache_clear()
    balanced._divisions.cache_clear()
    assert parts(SIX[::-1], DIGITS, 40) == late


@settings(deadline=None, max_examples=40)
@given(
    groups=st.integers(3, 14),
    test=st.floats(0.1, 0.65),
    validation=st.floats(0.05, 0.3),
    number=st.integers(0, 8),
)
def test_every_round_tests_everybody_once_and_no_split_is_empty(groups, test, validation, number):
    names = [f"g{i:02d}" for i in range(groups)]
    config = SplitConfig(validation=validation, test=test, resample="balanced")
    size = balanced.seeds_in_round(groups, config)
    found = [parts(names, config, number * size + k) for k in range(size)]
    tested = [name for split in found for name in split["test"]]
    assert sorted(tested) == names
    assert all(split["train"] and split["validation"] and split["test"] for split in found)
    counts = [len(split["test"]) for split in found]
    assert max(counts) - min(counts) <= 1


def test_of_three_groups_one_tests_however_large_a_share_is_asked_for():
    config = SplitConfig(validation=0.25, test=0.5, resample="balanced")
    found = [parts(["a", "b", "c"], config, seed) for seed in range(3)]
    assert [len(split[part]) for split in found for part in split] == [1] * 9
    assert set().union(*(split["test"] for split in found)) == {"a", "b", "c"}


def test_who_tests_together_changes():
    # Nine groups in threes: 36 pairs, nine a round.
    config = SplitConfig(validation=0.1, test=1 / 3, resample="balanced")
    names = [str(i) for i in range(9)]
    met = Counter(
        pair
        for seed in range(12)
        for pair in combinations(sorted(parts(names, config, seed)["test"]), 2)
    )
    assert len(met) >= 28
    assert max(met.values()) <= 3


def test_two_groups_are_too_few():
    with pytest.raises(GatewiseError, match="at least 3 groups"):
        splits.assign(["a", "b"], DIGITS, seed=0)


@pytest.mark.parametrize("groups", [6, 9])
def test_seeds_far_out_are_designed_as_the_first_are(groups):
    """Seeds of trials count from a million, and must not wait for all rounds before."""
    config = SplitConfig(test=0.33, validation=0.17, resample="balanced")
    per_round = balanced.seeds_in_round(groups, config)
    first = 1_000_000 - 1_000_000 % per_round
    round_ = [balanced.held_out(groups, config, first + k) for k in range(per_round)]
    tested = [group for test, _ in round_ for group in test]
    assert len(set(tested)) == len(tested)
    assert all(not set(test) & set(validation) for test, validation in round_)
