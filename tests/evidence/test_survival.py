import numpy as np
import pytest
from scipy import stats

from gatewise.evidence import survival
from gatewise.evidence.survival import Times


def censored(times: Times) -> stats.CensoredData:
    pairs = list(zip(times.updates, times.solved, strict=True))
    return stats.CensoredData(
        uncensored=[t for t, done in pairs if done], right=[t for t, done in pairs if not done]
    )


def times(*updates: int, never: int = 0, budget: int = 1500) -> Times:
    return Times((*updates, *[budget] * never), (True,) * len(updates) + (False,) * never)


def drawn(rng: np.random.Generator, scale: float, n: int = 12) -> Times:
    true = rng.exponential(scale, n).round() + 1
    return Times(tuple(int(min(t, 1500)) for t in true), tuple(bool(t <= 1500) for t in true))


def test_median_by_hand_where_some_never_solve_it():
    assert survival.median(times(100, 200, 300, 400)).median == 200
    assert survival.median(times(100, 200, never=2)).median == 200
    found = survival.median(times(100, never=3))
    assert (found.median, found.high) == (None, None)
    assert survival.median(times(never=4)) == survival.Median(None, None, None)
    assert survival.median(times(100)) == survival.Median(100, None, None)
    with pytest.raises(ValueError, match="no run"):
        survival.median(Times((), ()))


def test_the_medians_interval_covers_as_often_as_it_says():
    rng, scale, covered = np.random.default_rng(0), 800.0, 0
    for _ in range(300):
        found = survival.median(drawn(rng, scale, 15))
        low = 0 if found.low is None else found.low
        high = np.inf if found.high is None else found.high
        covered += low <= scale * np.log(2) + 1 <= high
    assert covered / 300 > 0.92


def test_log_rank_scores_add_up_to_scipys_statistic():
    rng = np.random.default_rng(1)
    for _ in range(20):
        a, b = drawn(rng, 500, 9), drawn(rng, 1200, 11)
        scores = survival.log_rank_scores(a.updates + b.updates, a.solved + b.solved)
        assert sum(scores) == pytest.approx(0, abs=1e-9)
        theirs = stats.logrank(censored(a), censored(b)).statistic
        # Observed less expected on one side; SciPy divides by its standard deviation.
        assert np.sign(sum(scores[:9])) in (0, -np.sign(theirs), np.sign(theirs))
        assert survival.log_rank(a, b) == pytest.approx(
            stats.logrank(censored(a), censored(b)).pvalue, abs=0.08
        )


def test_four_against_four_can_just_be_told_apart():
    slow, fast = times(300, 400, 500, 600), times(100, 110, 120, 130)
    assert survival.log_rank(fast, slow) == pytest.approx(2 / 70)
    assert survival.log_rank(fast, times(never=4)) == pytest.approx(2 / 70)
    assert survival.log_rank(fast, fast) == 1


def test_nothing_follows_where_nobody_solved_it():
    assert survival.log_rank(times(never=4), times(never=4)) is None
    assert survival.log_rank(times(100), Times((), ())) is None


def test_equal_sides_are_called_different_as_rarely_as_promised():
    rng = np.random.default_rng(2)
    p = [survival.log_rank(drawn(rng, 900, 5), drawn(rng, 900, 5)) for _ in range(300)]
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_many_runs_are_dealt_at_random_and_always_the_same():
    a, b = [0.1 * k for k in range(15)], [0.1 * k + 0.9 for k in range(15)]
    assert survival.permuted(a, b) == survival.permuted(a, b)
    expected = stats.permutation_test(
        (a, b), lambda x, y: np.mean(x) - np.mean(y), n_resamples=20_000, rng=0
    ).pvalue
    assert survival.permuted(a, b) == pytest.approx(expected, abs=0.005)


def test_the_rank_sums_are_all_the_ways_of_dealing():
    # Four against four: the tables give 1, 1, 2, 3, 5 ways of the smallest sums, 70 in all.
    ways = survival._rank_sums(4, 4)
    assert ways[:5] == [1, 1, 2, 3, 5]
    assert sum(ways) == 70
    assert ways == ways[::-1]
    assert sum(survival._rank_sums(3, 5)) == 56


def test_the_shift_of_four_against_four_lies_between_the_extreme_differences():
    a, b = [5.0, 6, 7, 9], [1.0, 2, 2.5, 4]
    assert survival.shift_interval(a, b, 0.95) == (1.0, 8.0)
    assert survival.shift_interval(a[:3], b[:3], 0.95) is None, "1 of 20 ways is too many"
    # Two of 70 ways on either side: the next differences inwards.
    assert survival.shift_interval(a, b, 1 - 4 / 70) == (2.0, 7.0)


def test_the_shift_is_covered_as_often_as_promised():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(2000):
        low, high = survival.shift_interval(
            rng.exponential(size=5) + 3, rng.exponential(size=6), 0.9
        )
        held += low <= 3 <= high
    assert held / 2000 >= 0.9 - 3 * (0.09 / 2000) ** 0.5
