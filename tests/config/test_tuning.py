import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.config import parse
from gatewise.config.tuning import Range, TuningConfig, integral
from gatewise.errors import GatewiseError

TASK = {"source": {"kind": "digits"}, "features": {"kind": "frames"}}


def study(tuning, **others):
    task = {**TASK, **others.pop("task", {})}
    variants = {"gru": {"cell": "gru", "hidden": 8}}
    return parse({"tasks": {"toy": task}, "variants": variants, "tuning": tuning, **others})


@pytest.mark.parametrize(
    ("tuning", "message"),
    [
        ({"trials": 3, "space": {}}, "nothing to try"),
        ({"trials": 3, "space": {"learing_rate": [1e-3, 2e-3]}}, "mean learning_rate"),
        ({"trials": 3, "space": {"hidden": [8, 16]}}, "'hidden' cannot be tuned"),
        ({"trials": 3, "space": {"learning_rate": {"low": 0.1, "high": 0.01}}}, "low goes first"),
        ({"trials": 3, "space": {"dropout": {"low": 0, "high": 0.5}}}, "begins above 0"),
        ({"trials": 3, "space": {"dropout": [0.1, 1.5]}}, "dropout: 1.5 is not allowed"),
        ({"trials": 3, "space": {"init": ["keras", "best"]}}, "init: 'best' is not allowed"),
        ({"trials": 3, "space": {"batch_size": [32, 32]}}, "listed twice"),
        ({"trials": 1}, "the declared settings alone"),
        ({"trials": 4, "method": "tpe", "prune": "halving"}, "needs all points at once"),
        ({"trials": 4, "prune": "halving", "space": {"epochs": [2, 4]}}, "cannot hold them"),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused_in_a_sentence(tuning, message):
    with pytest.raises(GatewiseError, match=message):
        study(tuning)


def test_seeds_of_trials_and_of_the_study_are_disjoint():
    with pytest.raises(GatewiseError, match="also be a seed of trials"):
        study({"trials": 2}, seeds=[0, 1_000_000])
    assert study({}, seeds=[0, 1_000_000]).seed_list == [0, 1_000_000]


def test_a_task_lays_its_own_over_the_common_settings():
    common = {"trials": 5, "space": {"learning_rate": [1e-3, 1e-2], "dropout": [0.0, 0.5]}}
    own = {"tuning": {"seeds": 3, "space": {"dropout": [0.1, 0.2]}}}
    laid = study(common, task=own).tuning_for("toy")
    assert (laid.trials, laid.seeds) == (5, 3)
    assert laid.space == {"learning_rate": (1e-3, 1e-2), "dropout": (0.1, 0.2)}
    with pytest.raises(GatewiseError, match=r"tasks.toy.tuning.space: .*cannot be tuned"):
        study(common, task={"tuning": {"space": {"cell": ["gru", "lstm"]}}})


def test_nothing_is_tuned_unless_asked_for():
    assert TuningConfig().trials == 0


@given(
    st.floats(1e-6, 1.0),
    st.floats(1.5, 1e3),
    st.floats(0, 1),
    st.sampled_from(["log", "linear"]),
)
def test_a_place_in_a_range_is_where_its_value_lies(low, ratio, place, scale):
    values = Range(low=low, high=low * ratio, scale=scale)
    assert values.position(values.at(place)) == pytest.approx(place, abs=0.01)


def test_whole_numbers_are_known_by_their_type():
    assert integral("batch_size")
    assert not integral("learning_rate")
    assert integral("chrono_steps")
