from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.artifacts import splits
from gatewise.config import SplitConfig
from gatewise.errors import GatewiseError

MANY = [f"speaker-{i}" for i in range(400)]


def test_a_groups_fixed_split_never_moves_when_groups_are_added() -> None:
    config = SplitConfig(validation=0.15, test=0.2)
    before = dict(zip(MANY, splits.assign(MANY, config), strict=True))
    more = [*MANY, *(f"newcomer-{i}" for i in range(500))]
    after = dict(zip(more, splits.assign(more, config), strict=True))
    assert all(after[name] == before[name] for name in MANY)


def test_fixed_fractions_are_about_right() -> None:
    counts = Counter(splits.assign(MANY, SplitConfig(validation=0.15, test=0.2)).tolist())
    assert counts["test"] == pytest.approx(80, abs=25)
    assert counts["validation"] == pytest.approx(60, abs=25)


def test_recorded_positions_stay() -> None:
    # A change here silently moves everybody's examples between splits.
    assert splits.position("Alicia") == pytest.approx(0.6385325672, abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(
    groups=st.lists(st.integers(0, 30), min_size=30, max_size=80),
    seed=st.integers(0, 2**31),
    validation=st.floats(0.05, 0.4),
    test=st.floats(0.05, 0.4),
)
def test_resampled_groups_never_cross_and_no_split_is_empty(
    groups: list[int], seed: int, validation: float, test: float
) -> None:
    names = [str(group) for group in groups] + ["a", "b", "c"]
    config = SplitConfig(validation=validation, test=test, resample=True)
    split = splits.assign(names, config, seed)
    assert set(split) == {"train", "validation", "test"}
    parts = Counter(part for _, part in {*zip(names, split.tolist(), strict=True)})
    assert sum(parts.values()) == len(set(names))
    assert parts["test"] == max(1, round(test * len(set(names))))


def test_resampled_split_depends_on_the_seed_and_on_nothing_else() -> None:
    config = SplitConfig(validation=0.17, test=0.33, resample=True)
    speakers = ["theo", "lucas", "george", "jackson", "nicolas", "yweweler"]
    draws = [tuple(splits.assign(speakers, config, seed)) for seed in range(12)]
    assert draws == [tuple(splits.assign(speakers, config, seed)) for seed in range(12)]
    assert len(set(draws)) > 5
    shuffled = splits.assign(speakers[::-1], config, 0)[::-1]
    assert tuple(shuffled) == draws[0]


def test_too_few_groups_are_refused_with_advice() -> None:
    with pytest.raises(GatewiseError, match="split is empty: 2 groups are too few"):
        splits.assign(["a", "b"], SplitConfig())
    with pytest.raises(GatewiseError, match="at least 3 groups"):
        splits.assign(["a", "b"], SplitConfig(resample=True), seed=0)


def test_published_split_is_kept() -> None:
    published = ["train", "test", "validation", "train"]
    assert splits.complete(published, list("abcd"), SplitConfig()).tolist() == published


def test_validation_is_cut_from_published_training_groups() -> None:
    published = ["train"] * 300 + ["test"] * 100
    split = splits.complete(published, MANY, SplitConfig(validation=0.2, test=0.2))
    assert set(split[300:]) == {"test"}
    assert np.mean(split[:300] == "validation") == pytest.approx(0.25, abs=0.08)


def test_half_published_split_is_refused() -> None:
    with pytest.raises(GatewiseError, match="1 of 3 examples have no split"):
        splits.complete(["train", "", "test"], list("abc"), SplitConfig())


@given(
    labels=st.lists(st.integers(0, 3), min_size=4, max_size=60),
    fractions=st.tuples(st.floats(0.05, 1), st.floats(0.05, 1)),
    seed=st.integers(0, 5),
)
def test_smaller_shares_lie_within_larger_ones_and_keep_every_label(labels, fractions, seed):
    labels = np.array(labels)
    rows = np.arange(0, len(labels), 2)
    less, more = sorted(fractions)
    small, large = (splits.shrink(rows, labels, share, seed) for share in (less, more))
    assert set(small) <= set(large) <= set(rows)
    assert set(labels[small]) == set(labels[rows])
    for label in set(labels[rows]):
        have, kept = (labels[rows] == label).sum(), (labels[small] == label).sum()
        assert kept == max(1, round(less * have))
    assert np.array_equal(splits.shrink(rows, labels, 1.0, seed), rows)


def test_what_is_left_open_is_settled_by_the_number_of_groups():
    def resolved(groups, published="", text=False, **keys):
        names = [str(i) for i in range(groups)]
        config = SplitConfig(**keys)
        return splits.resolve(config, [published] * groups, names, text).resample

    assert resolved(6) == "balanced"
    assert resolved(3) == "balanced"
    assert resolved(2) is False
    assert resolved(10) is False
    assert resolved(6, published="train") is False
    assert resolved(6, text=True) is False
    assert resolved(6, resample=False) is False
    assert resolved(40, resample=True) is True
