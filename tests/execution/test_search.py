import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.artifacts.tuned import Trial
from gatewise.config import TuningConfig
from gatewise.execution import search

SPACE = {
    "learning_rate": {"low": 1e-3, "high": 1e-1},
    "batch_size": {"low": 16, "high": 64, "scale": "linear"},
    "init": ["torch", "keras"],
}


def config(**changes):
    return TuningConfig.model_validate({"trials": 8, "space": SPACE, **changes})


@pytest.mark.parametrize("method", ["quasi-random", "random"])
@settings(max_examples=10, deadline=None)
@given(fewer=st.integers(0, 9), more=st.integers(0, 30))
def test_more_trials_keep_the_old_ones(method, fewer, more):
    tuning = config(method=method)
    longer = search.points(tuning, fewer + more)
    assert len(longer) == fewer + more
    assert search.points(tuning, fewer) == longer[:fewer]


@pytest.mark.parametrize("method", ["quasi-random", "random", "grid"])
def test_points_lie_in_the_space(method):
    points = search.points(config(method=method), 16)
    assert points
    for point in points:
        assert 1e-3 <= point["learning_rate"] <= 1e-1
        assert 16 <= point["batch_size"] <= 64
        assert isinstance(point["batch_size"], int)
        assert point["init"] in ("torch", "keras")


def test_quasi_random_points_fill_every_quarter_of_a_range():
    tuning = config(space={"learning_rate": {"low": 1.0, "high": 16.0}})
    values = sorted(point["learning_rate"] for point in search.points(tuning, 8))
    assert [sum(2**k <= value < 2 ** (k + 1) for value in values) for k in range(4)] == [2] * 4


def test_a_grid_is_the_finest_even_one_that_fits():
    points = search.points(config(method="grid"), 17)
    assert len(points) == 8  # two levels of either range, both values
    assert len({tuple(point.values()) for point in points}) == 8
    assert search.points(config(method="grid", space={"init": ["torch", "keras"]}), 9) == [
        {"init": "torch"},
        {"init": "keras"},
    ]


def finished(number, rate, score):
    return Trial(
        number=number,
        settings={"learning_rate": rate},
        status="complete",
        scores=(score,),
        mean=score,
    )


def test_tpe_goes_where_earlier_trials_did_well_and_repeats_itself():
    tuning = config(method="tpe", space={"learning_rate": {"low": 1e-4, "high": 1.0}})
    rates = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 2e-2, 3e-2, 1e-1, 3e-1, 1.0]
    trials = [finished(k, rate, 1 - abs(rate - 1e-2)) for k, rate in enumerate(rates)]
    first = search.suggest(tuning, "accuracy", trials)
    assert first == search.suggest(tuning, "accuracy", trials)
    assert 1e-4 <= first["learning_rate"] <= 1e-1
    lower_is_better = [finished(k, rate, rate) for k, rate in enumerate(rates)]
    assert search.suggest(tuning, "log_loss", lower_is_better)["learning_rate"] < 1e-2


def test_tpe_leaves_out_a_declared_point_beyond_the_space():
    tuning = config(method="tpe", space={"learning_rate": {"low": 1e-3, "high": 1e-2}})
    outside = finished(0, 0.5, 1.0)
    assert 1e-3 <= search.suggest(tuning, "accuracy", [outside])["learning_rate"] <= 1e-2
