"""Multiple comparisons with the best: worked by hand, by brute force, and kept in simulation."""

import itertools

import numpy as np
import pytest

from gatewise.evidence import best, statistics

ALPHA = 0.05


def scatter(shape, rng, seeds, variants):
    """Scores of equal variants, in standard deviations."""
    independent = rng.standard_normal((seeds, variants))
    if shape == "correlated":  # neighbours are alike, and a seed moves all of them
        return 0.5 * independent + 0.4 * rng.standard_normal((seeds, variants)).cumsum(axis=1)
    if shape == "skewed":
        return rng.exponential(size=(seeds, variants))
    if shape == "unequal spreads":
        return independent * np.linspace(0.3, 3, variants)
    if shape == "rounded":  # a small test set: many ties
        return independent.round()
    return independent


SHAPES = ("normal", "correlated", "skewed", "unequal spreads", "rounded")


def missed(gains, truth):
    """Whether any statement is false: a shortfall too small, or the best excluded."""
    found = best.standing(gains, ALPHA)
    behind = truth.max() - truth
    return bool((found.shortfall < behind - 1e-9).any() or not found.contender[truth.argmax()])


def test_one_pair_worked_by_hand():
    # Leads of the first variant: 4, 1, 2, 3, -1. Of 32 flips one may be more extreme, so the bound
    # on its lead is the largest mean over any set of seeds, 4; on the second's lead it is 1.
    gains = np.array([[4.0, 0], [1, 0], [2, 0], [3, 0], [-1, 0]])
    bounds = best.upper_bounds(gains, ALPHA)
    assert bounds[0, 1] == pytest.approx(4.0)
    assert bounds[1, 0] == pytest.approx(1.0)
    found = best.standing(gains, ALPHA)
    assert found.contender.tolist() == [True, True]
    assert found.shortfall == pytest.approx([1.0, 4.0])


def test_one_pair_is_the_sign_flip_test_inverted():
    rng = np.random.default_rng(0)
    for _ in range(20):
        d = rng.standard_normal(7)
        bound = best.upper_bounds(np.stack([d, np.zeros(7)], axis=1), ALPHA)[0, 1]
        # Just below the bound the test keeps the hypothesis, just above it rejects it.
        assert statistics.sign_flip(d - bound + 1e-6).less > ALPHA
        assert statistics.sign_flip(d - bound - 1e-6).less <= ALPHA


def test_each_bound_is_the_joint_test_inverted():
    rng = np.random.default_rng(1)
    gains = rng.standard_normal((6, 4))
    signs = np.array(list(itertools.product([1, -1], repeat=6)))
    leads = gains[:, [0]] - gains[:, 1:]

    def as_extreme(column, hypothesis):
        """Flips whose largest studentised sum reaches that of the data."""
        centre = leads.mean(axis=0)
        centre[column] = hypothesis
        terms = centre - leads
        terms /= np.sqrt((terms**2).sum(axis=0))
        return int(((signs @ terms).max(axis=1) >= terms.sum(axis=0).max() - 1e-9).sum())

    for column, bound in enumerate(best.upper_bounds(gains, ALPHA)[0, 1:]):
        assert as_extreme(column, bound - 1e-6) > ALPHA * 64 >= as_extreme(column, bound + 1e-6)


def test_bounds_of_several_are_wider_than_of_one_and_on_average_tighter_than_bonferronis():
    rng, joint, corrected = np.random.default_rng(4), [], []
    for _ in range(20):
        gains = rng.standard_normal((9, 4))
        together = best.upper_bounds(gains, ALPHA)
        for b, j in itertools.permutations(range(4), 2):
            pair = gains[:, [b, j]]
            assert best.upper_bounds(pair, ALPHA)[0, 1] <= together[b, j] + 1e-9
            joint.append(together[b, j])
            corrected.append(best.upper_bounds(pair, ALPHA / 3)[0, 1])
    assert np.mean(joint) < np.mean(corrected)


def test_too_few_seeds_bound_nothing():
    found = best.standing(np.random.default_rng(0).standard_normal((4, 3)), ALPHA)
    assert found.contender.all()
    assert np.isinf(found.shortfall).all()
    assert best.fewest_seeds(ALPHA) == 5
    assert np.isfinite(best.standing(np.eye(5), ALPHA).shortfall).all()


def test_the_one_best_is_the_only_contender_and_has_no_shortfall():
    gains = np.random.default_rng(0).standard_normal((8, 3)) + np.array([0, 9, 0])
    found = best.standing(gains, ALPHA)
    assert found.contender.tolist() == [False, True, False]
    assert found.shortfall[1] == 0
    assert (found.shortfall[[0, 2]] > 9).all()


def test_variants_that_never_differ_share_the_place():
    gains = np.repeat(np.arange(8.0)[:, None], 2, axis=1)
    found = best.standing(gains, ALPHA)
    assert found.contender.all()
    assert found.shortfall.tolist() == [0, 0]


@pytest.mark.parametrize("constant", [-3.0, 0.7])
def test_what_moves_all_variants_alike_moves_nothing(constant):
    gains = np.random.default_rng(2).standard_normal((9, 4))
    moved = best.standing(constant + gains, ALPHA)
    assert moved.shortfall == pytest.approx(best.standing(gains, ALPHA).shortfall)
    scaled = best.standing(2.5 * gains, ALPHA)
    assert scaled.shortfall == pytest.approx(2.5 * best.standing(gains, ALPHA).shortfall)


def test_sampled_flips_agree_with_all_of_them(monkeypatch):
    gains = np.random.default_rng(3).standard_normal((14, 4))
    exact = best.standing(gains, ALPHA).shortfall
    best._sets.cache_clear()
    monkeypatch.setattr(best, "EXACT_LIMIT", 10)
    assert best.standing(gains, ALPHA).shortfall == pytest.approx(exact, rel=0.03)
    best._sets.cache_clear()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("seeds", "variants", "runs"),
    [(4, 4, 20), (8, 2, 300), (8, 4, 300), (8, 10, 150), (15, 4, 60), (30, 4, 80)],
)
def test_statements_hold_as_often_as_promised(shape, seeds, variants, runs):
    rng, wrong = np.random.default_rng(seeds * variants), 0
    truth = -np.linspace(0, 2, variants)
    for _ in range(runs):
        wrong += missed(truth + scatter(shape, rng, seeds, variants), truth)
    assert wrong / runs <= ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / runs)


@pytest.mark.weekly
@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("variants", [3, 10])
@pytest.mark.parametrize("lead", ["none", "one", "rising"])
def test_statements_hold_in_thousands_of_studies(shape, variants, lead):
    rng, runs, wrong = np.random.default_rng(variants), 1_500, 0
    truth = {
        "none": np.zeros(variants),
        "one": np.eye(variants)[0] * 0.5,
        "rising": np.linspace(0, 3, variants),
    }[lead]
    for _ in range(runs):
        wrong += missed(truth + scatter(shape, rng, 8, variants), truth)
    assert wrong / runs <= ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / runs)


def test_a_clear_best_is_found_and_bounds_shrink_as_seeds_are_added():
    rng, seeds = np.random.default_rng(5), (6, 8, 12, 15, 30)
    truth = np.array([0.0, -2.0, -2.0, -2.0])
    widths, alone = [], []
    for n in seeds:
        equal = [best.standing(rng.standard_normal((n, 4)), ALPHA) for _ in range(30)]
        widths.append(np.mean([found.shortfall.min() for found in equal]))
        apart = [best.standing(truth + rng.standard_normal((n, 4)), ALPHA) for _ in range(30)]
        alone.append(np.mean([found.contender.tolist() == [True] + [False] * 3 for found in apart]))
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.4 * widths[0]
    assert alone[1] >= 0.5
    assert alone[-1] == 1


def test_eight_seeds_bound_the_best_as_the_scatter_of_differences_suggests():
    rng = np.random.default_rng(6)
    # Differences that scatter by 1.1 points, as between variants of one task.
    found = [
        best.standing(0.011 / np.sqrt(2) * rng.standard_normal((8, 4)), ALPHA) for _ in range(100)
    ]
    assert 0.004 < np.mean([one.shortfall.min() for one in found]) < 0.009
