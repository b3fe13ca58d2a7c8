import numpy as np
import pytest

from gatewise.evidence import sequential


def test_boundaries_match_published_ones():
    # Pocock-like spending, five equal looks, one-sided 2.5 %: critical values as tabulated
    # by Jennison & Turnbull 2000 and as R's gsDesign computes them.
    from scipy import stats

    z = stats.norm.isf(sequential.nominal_levels((1, 2, 3, 4, 5), 0.025))
    assert z == pytest.approx([2.438, 2.427, 2.410, 2.397, 2.386], abs=0.003)


def test_one_look_is_the_whole_level():
    assert sequential.nominal_levels((8,), 0.025) == pytest.approx((0.025,))


def test_simulated_looks_keep_the_level():
    at, alpha = (8, 12, 16, 20), 0.05
    rng = np.random.default_rng(0)
    sums = rng.standard_normal((200_000, at[-1])).cumsum(axis=1)
    z = sums[:, np.array(at) - 1] / np.sqrt(at)
    from scipy import stats

    crossed = (stats.norm.sf(z) <= np.array(sequential.nominal_levels(at, alpha))).any(axis=1)
    assert crossed.mean() == pytest.approx(alpha, abs=0.002)


def test_a_decided_pair_stays_decided():
    early = np.concatenate([np.linspace(0.04, 0.06, 12), -np.ones(8)])
    found = sequential.decide({"x": early}, (12, 16, 20), rope=0.005, alpha=0.05)["x"]
    assert found == sequential.Decision("a", 12)


def test_equivalents_are_called_so_and_stop():
    same = np.random.default_rng(0).normal(0, 0.0005, 20)
    decisions = sequential.decide({"x": same[:12]}, (12, 16, 20), rope=0.005, alpha=0.05)
    assert decisions["x"].verdict == "equivalent"


def test_a_second_clear_pair_profits_from_the_first():
    # 7 of 8 flips agree: enough alone, not enough among two unless the other is decided.
    at = (8,)
    clear, other = np.linspace(0.04, 0.06, 8), np.linspace(0.04, 0.06, 8)
    other[0] = -0.001
    assert sequential.decide({"o": other}, at, 0.0, 0.035)["o"].verdict == "a"
    both = sequential.decide({"c": clear, "o": other}, at, 0.0, 0.035)
    assert both["c"].verdict == both["o"].verdict == "a"
    noise = np.array([1.0, -1.0] * 4)
    alone = sequential.decide({"n": noise, "o": other}, at, 0.0, 0.025)
    assert alone["o"].verdict == "undecided"
