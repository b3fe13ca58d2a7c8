import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.evidence import statistics

differences = st.lists(st.integers(-5, 5).map(lambda i: i / 100), min_size=2, max_size=9)


def enumerate_flips(d):
    """The definition, by brute force."""
    d = np.asarray(d)
    sums = [float(np.dot(s, d)) for s in itertools.product([-1, 1], repeat=len(d))]
    total, slack = float(d.sum()), 1e-9
    greater = sum(s >= total - slack for s in sums) / len(sums)
    two_sided = sum(abs(s) >= abs(total) - slack for s in sums) / len(sums)
    return two_sided, greater


@settings(deadline=None, max_examples=60)
@given(differences)
def test_sign_flip_equals_its_definition(d):
    found = statistics.sign_flip(d)
    two_sided, greater = enumerate_flips(d)
    assert found.two_sided == pytest.approx(two_sided)
    assert found.greater == pytest.approx(greater)
    mirrored = statistics.sign_flip([-x for x in d])
    assert found.less == pytest.approx(mirrored.greater)


def test_sign_flip_matches_scipy():
    from scipy import stats

    d = np.random.default_rng(3).normal(0.4, 1, size=12)
    expected = stats.permutation_test(
        (d,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True, axis=-1
    )
    assert statistics.sign_flip(d).two_sided == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("n", [5, 8, 10, 20, 32])
def test_smallest_possible_p(n):
    found = statistics.sign_flip(np.linspace(0.1, 0.2, n))
    assert found.two_sided == statistics.smallest_p(n) == 2 / 2**n


def test_many_seeds_are_sampled_and_never_give_zero():
    assert 0 < statistics.sign_flip(np.ones(40)).two_sided <= 2e-5
    assert statistics.sign_flip(np.tile([1.0, -1.0], 20)).two_sided > 0.9


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-9, 9), min_size=1, max_size=45), st.sampled_from([0.9, 0.95, 0.99]))
def test_a_median_lies_between_order_statistics(values, confidence):
    # As many values are cut off at each end as a fair coin leaves on one side too rarely.
    n, tail = len(values), (1 - confidence) / 2
    chances = [sum(math.comb(n, i) for i in range(k + 1)) / 2**n for k in range(n)]
    cut = sum(chance <= tail for chance in chances)
    ordered = sorted(values)
    expected = (ordered[cut - 1], ordered[n - cut]) if cut else None
    assert statistics.median_interval(values, confidence) == expected


def test_one_seed_has_no_p_value_and_no_interval():
    assert statistics.sign_flip([0.3]) is None
    assert statistics.equivalence([0.0], 0.1) is None
    assert statistics.mean_interval([0.3]) is None


def test_identical_scores_are_equivalent_but_never_different():
    zeros = np.zeros(8)
    assert statistics.sign_flip(zeros).two_sided == 1.0
    assert statistics.equivalence(zeros, 0.005) == 2**-8
    assert statistics.mean_interval(zeros) == (0.0, 0.0)


def test_equivalence_needs_the_whole_difference_inside():
    rng = np.random.default_rng(0)
    inside = rng.normal(0.001, 0.001, 10)
    outside = rng.normal(0.01, 0.001, 10)
    assert statistics.equivalence(inside, 0.005) < 0.01
    assert statistics.equivalence(outside, 0.005) > 0.9
    assert statistics.equivalence(inside, 0.0) is None


def test_bca_interval_matches_scipy_and_ignores_its_neighbours():
    from scipy import stats

    rows = np.random.default_rng(1).normal(0.02, 0.01, size=(3, 8))
    expected = stats.bootstrap(
        (rows[1],), np.mean, n_resamples=2000, method="BCa", rng=np.random.default_rng(0)
    ).confidence_interval
    found = statistics.mean_intervals(rows, resamples=2000)
    assert found[1] == pytest.approx((expected.low, expected.high))
    assert found[1] == statistics.mean_interval(rows[1], resamples=2000)


def test_holm_matches_statsmodels_and_skips_what_does_not_exist():
    from statsmodels.stats.multitest import multipletests

    rng = np.random.default_rng(0)
    for size in (1, 2, 3, 6, 12):
        p = [float(x) for x in rng.choice([0.0078, 0.04, *rng.random(4)], size=size)]
        expected = multipletests(p, method="holm")[1]
        assert statistics.holm(p) == pytest.approx(list(expected))
        with_gaps = statistics.holm([None, *p, None])
        assert with_gaps[0] is with_gaps[-1] is None
        assert with_gaps[1:-1] == pytest.approx(list(expected))
    assert statistics.holm([None]) == [None]
    assert statistics.holm([]) == []


def test_superiority_counts_ties_half():
    assert statistics.superiority([1.0, 0.0, -1.0, 2.0]) == 0.625
    assert statistics.superiority([]) is None


def test_fewest_seeds_agree_with_smallest_p():
    for alpha in (0.05, 0.05 / 6, 0.001, 1 / 128):
        n = statistics.fewest_seeds(alpha)
        assert statistics.smallest_p(n) <= alpha < statistics.smallest_p(n - 1)


def test_seeds_for_power_agrees_with_statsmodels():
    from statsmodels.stats.power import TTestPower

    spread, effect = 0.02, 0.01
    expected = TTestPower().solve_power(effect_size=effect / spread, alpha=0.05, power=0.8)
    # Equivalence needs more than the difference does, so compare the part that is shared.
    assert statistics._solve(spread / effect, 0.025, 0.2) == pytest.approx(expected, abs=1.5)
    needed = statistics.seeds_for_power(spread, effect, 0.05, 0.8)
    assert expected <= needed < 1.5 * expected


def test_seeds_for_power_at_its_ends():
    assert statistics.seeds_for_power(0.0, 0.005, 0.05 / 6, 0.8) == 8
    assert statistics.seeds_for_power(0.01, 0.0, 0.05, 0.8) is None
    fewer = statistics.seeds_for_power(0.01, 0.005, 0.05, 0.8)
    assert statistics.seeds_for_power(0.02, 0.005, 0.05, 0.8) > fewer


def test_superiority_interval_stays_wide_with_few_seeds():
    low, high = statistics.superiority_interval(np.ones(8))
    assert low == pytest.approx(0.025 ** (1 / 8))  # closed form where all agree
    assert high == 1.0
    assert statistics.superiority_interval([1.0]) is None


@pytest.mark.parametrize("differences", [[1, 1], [-1, -1], [1, -1, 0], [0, 0, 1, 1, 1], [1] * 31])
def test_superiority_interval_matches_statsmodels(differences):
    from statsmodels.stats.proportion import proportion_confint

    d = np.array(differences)
    wins = (d > 0).sum() + 0.5 * (d == 0).sum()
    expected = proportion_confint(wins, len(d), alpha=0.1, method="beta")
    found = statistics.superiority_interval(d, 0.9)
    assert found == pytest.approx(expected, rel=1e-12)


def test_effect_size():
    d = np.array([0.01, 0.02, 0.03, 0.04])
    assert statistics.effect_size(d) == pytest.approx(d.mean() / d.std(ddof=1) * (1 - 3 / 11))
    assert statistics.effect_size(np.ones(8)) is None
    assert statistics.effect_size([0.1, 0.2]) is None


def test_almost_stochastic_order_tells_dominance_from_equality():
    rng = np.random.default_rng(0)
    low, high = rng.normal(0.80, 0.01, 20), rng.normal(0.90, 0.01, 20)
    assert statistics.almost_stochastic_order(high, low) == 0.0
    assert statistics.almost_stochastic_order(low, high) == 1.0
    assert statistics.almost_stochastic_order(low, low) == pytest.approx(1.0, abs=0.5)
    assert statistics.almost_stochastic_order(low, low[::-1]) > 0.5
    assert statistics.almost_stochastic_order([0.1], [0.2]) is None


def test_violation_ratio_by_its_definition():
    x, y = np.array([[0.0, 3.0]]), np.array([[1.0, 1.0]])
    # quantile gaps -1 and +2: violated 1 of 1 + 4
    assert statistics._violation(x, y) == pytest.approx([0.2])
    assert statistics._violation(y, x) == pytest.approx([0.8])
    assert statistics._violation(x, x) == pytest.approx([0.5])


def test_summary_of_scores_and_of_a_single_one():
    found = statistics.summary([0.5, 0.6, 0.7], 0.05, 1000)
    assert found.mean == pytest.approx(0.6)
    assert found.std == pytest.approx(0.1)
    assert found.ci == statistics.mean_interval([0.5, 0.6, 0.7], 0.95, 1000)
    alone = statistics.summary([0.5], 0.05, 1000)
    assert (alone.mean, alone.std, alone.ci) == (0.5, None, None)
