import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.data.frontends.windows import FARTHEST, History

SEASON = 4


def values(length=40, seed=0):
    return 50 + np.random.default_rng(seed).normal(0, 5, length).cumsum()


def test_the_naive_forecast_repeats_the_last_season_and_its_error_is_the_scale():
    series = values()
    window = History(series, SEASON).window(30, 12, 10)
    assert window.naive.tolist() == [series[26 + k % SEASON] for k in range(10)]
    changes = np.abs(series[SEASON:30] - series[: 30 - SEASON])
    assert window.scale == pytest.approx(changes.mean())
    assert window.sequence.shape == (12, 3)
    target = window.target(series[30:40])
    np.testing.assert_allclose(target[:, 0], series[30:40], rtol=1e-6)
    assert not window.target()[:, 0].any()


@given(st.integers(0, 1000), st.integers(2 * SEASON + 1, 30))
def test_nothing_after_the_origin_is_looked_at(seed, origin):
    series = values(seed=seed)
    changed = np.concatenate([series[:origin], series[origin:] * -7])
    first, second = (History(s, SEASON).window(origin, 12, 6) for s in (series, changed))
    assert np.array_equal(first.sequence, second.sequence)
    assert first.scale == second.scale
    assert np.array_equal(first.naive, second.naive)


@given(st.floats(1e-3, 1e6))
def test_features_do_not_hang_on_the_size_of_the_series(factor):
    series = values()
    one, other = (History(s, SEASON).window(30, 12, 6) for s in (series, factor * series))
    np.testing.assert_allclose(one.sequence, other.sequence, rtol=1e-3, atol=1e-4)
    assert other.scale == pytest.approx(factor * one.scale)


def test_a_leap_is_cut():
    series = values()
    series[-1] = 1e12
    window = History(series, SEASON).window(len(series), 12, 6)
    assert np.isfinite(window.sequence).all()
    assert np.abs(window.sequence).max() <= FARTHEST


@pytest.mark.parametrize(
    ("series", "said"),
    [
        (np.arange(8.0), "8 values of history; with a season of 4 at least 9"),
        (np.array([3.0]), "1 value of history"),
        (np.full(20, 3.0), "the series is constant"),
        (np.tile([1.0, 2, 3, 4], 5), "every season of 4 repeats"),
    ],
)
def test_a_history_that_tells_nothing_is_named(series, said):
    assert said in History(series, SEASON).problem(len(series))


def test_series_around_zero_have_a_level():
    series = np.zeros(20)
    series[:4] = [1, -1, 2, 0]
    window = History(series, SEASON).window(20, 8, 4)
    assert np.isfinite(window.sequence).all()
