"""The gate's promises about false alarms and planted regressions, kept in simulation."""

import numpy as np
import pytest

from gatewise.config import GateConfig
from gatewise.delivery.gate import interval, rule
from tests.delivery.gate.simulated import ACCURACY, check, retraining

pytestmark = pytest.mark.weekly

SETTINGS = GateConfig.model_validate({"resamples": 200, "slices": {"by": ["class", "length"]}})


def verdict(pairs) -> str:
    return rule.decide([check(pairs, SETTINGS)], SETTINGS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("many groups", {}),
        ("few seeds", {"seeds": 4}),
        ("few groups", {"groups": 6, "per_group": 80}),
        ("one seed", {"seeds": 1}),
        ("lucky runs", {"luck": 0.02}),
    ],
)
def test_unchanged_retrainings_seldom_raise_an_alarm(name, shape):
    rng, replays = np.random.default_rng(11), 200
    alarms = sum(verdict(retraining(rng, **shape)) == rule.REGRESSION for _ in range(replays))
    promised = SETTINGS.alpha
    assert alarms / replays <= promised + 3 * np.sqrt(promised * (1 - promised) / replays)


@pytest.mark.slow
def test_a_harmful_change_of_exactly_the_margin_seldom_passes():
    rng, replays = np.random.default_rng(12), 200
    passed = sum(
        verdict(retraining(rng, worse=SETTINGS.margin)) == rule.PASS for _ in range(replays)
    )
    promised = SETTINGS.alpha
    assert passed / replays <= promised + 3 * np.sqrt(promised * (1 - promised) / replays)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "rate"),
    [({"worse": 0.05}, 0.95), ({"worse_class": 0.2}, 0.9), ({"worse": 0.06, "seeds": 4}, 0.8)],
)
def test_planted_regressions_are_caught(shape, rate):
    rng, replays = np.random.default_rng(13), 60
    caught = sum(verdict(retraining(rng, **shape)) == rule.REGRESSION for _ in range(replays))
    assert caught / replays >= rate


@pytest.mark.slow
@pytest.mark.parametrize("shape", [{}, {"seeds": 4}, {"groups": 6, "per_group": 80}])
def test_bounds_cover_the_true_difference(shape):
    rng, replays = np.random.default_rng(14), 200
    missed = 0
    for _ in range(replays):
        found = interval.difference(retraining(rng, worse=0.02, **shape), ACCURACY, 200)
        low, high = found.bounds(0.05)
        missed += not low <= -0.02 <= high
    assert missed / replays <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / replays)


@pytest.mark.slow
def test_as_many_seeds_as_asked_for_let_a_harmless_change_pass():
    rng = np.random.default_rng(15)
    shape = {"groups": 60, "per_group": 25, "luck": 0.01}
    first = check(retraining(rng, seeds=6, **shape), SETTINGS)
    # The plan is as good as the spread it starts from: give it a well-known one.
    known = interval.difference(retraining(rng, seeds=60, **shape), ACCURACY, 200)
    needed = rule.seeds_needed(
        interval.Difference(**{**vars(first.overall), "spread": known.spread}), SETTINGS
    )
    assert needed is not None
    replays = 40
    passed = sum(
        verdict(retraining(rng, seeds=6 + needed, **shape)) == rule.PASS for _ in range(replays)
    )
    assert passed / replays >= SETTINGS.power - 3 * np.sqrt(0.16 / replays)
