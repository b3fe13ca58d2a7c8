import numpy as np
import pytest

from gatewise.config.metrics import METRICS
from gatewise.config.tuning import Range
from gatewise.evidence.importance import POINTS_A_SETTING, importance
from tests.evidence.tunings import RATES, trial

SPACE = {**RATES, "dropout": Range(low=0.0, high=0.5, scale="linear"), "init": ["torch", "chrono"]}
ACCURACY, LOSS = METRICS["accuracy"], METRICS["log_loss"]


def trials(matters: str, offset: float = 0.0, sign: float = 1.0, count: int = 24):
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        rate, dropout = float(10 ** rng.uniform(-3, -1)), float(rng.uniform(0, 0.5))
        score = {"learning_rate": -abs(np.log10(rate) + 2), "dropout": -dropout}[matters]
        init = ["torch", "chrono"][number % 2]
        made.append(
            trial(
                number,
                sign * (offset + score),
                learning_rate=rate,
                dropout=dropout,
                init=init,
            )
        )
    return made


def test_the_setting_that_moves_the_score_comes_first():
    for setting in ("learning_rate", "dropout"):
        shares = importance(SPACE, [trials(setting)], ACCURACY)
        assert next(iter(shares)) == setting
        assert shares[setting] > 0.5
        assert set(shares) == set(SPACE)


def test_a_better_variant_is_no_settings_doing():
    alone = importance(SPACE, [trials("dropout"), trials("dropout")], ACCURACY)
    beside = importance(SPACE, [trials("dropout"), trials("dropout", offset=100.0)], ACCURACY)
    assert max(abs(alone[name] - beside[name]) for name in SPACE) < 0.02


def test_of_a_loss_low_is_good():
    rising = importance(SPACE, [trials("dropout")], ACCURACY)
    assert importance(SPACE, [trials("dropout", sign=-1.0)], LOSS) == rising


@pytest.mark.parametrize("status", ["pruned", "diverged"])
def test_points_that_were_given_up_say_where_the_good_ones_are_not(status):
    """Rates above 0.01 come to nothing; among the others the score hangs on neither setting."""
    made = []
    for one in trials("dropout"):
        bad = one.settings["learning_rate"] > 0.01
        score = None if bad and status == "diverged" else 0.5 + one.number % 5 / 100
        state = status if bad else "complete"
        made.append(trial(one.number, score, state, **one.settings))
    assert next(iter(importance(SPACE, [made], ACCURACY))) == "learning_rate"
    finished = [one for one in made if one.status == "complete"]
    assert importance(SPACE, [finished], ACCURACY) == {}


def test_a_space_of_whole_numbers_is_weighed_too():
    space = {"batch_size": Range(low=8, high=64), "epochs": Range(low=2, high=8, scale="linear")}
    made = [
        trial(i, -float(i // 4), batch_size=8 * (1 + i // 4), epochs=2 + 2 * (i % 4))
        for i in range(24)
    ]
    assert next(iter(importance(space, [made], ACCURACY))) == "batch_size"


def test_a_declared_value_outside_of_the_space_counts():
    outside = trial(24, 0.5, learning_rate=1.0, dropout=0.0, init="torch")
    assert importance(SPACE, [[*trials("dropout"), outside]], ACCURACY)


def test_as_few_points_as_are_asked_for_name_the_right_setting_nine_times_in_ten():
    space = {name: SPACE[name] for name in ("learning_rate", "dropout")}
    right = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        places = rng.uniform(size=(2 * POINTS_A_SETTING, 2))
        best = rng.uniform(0.4, 0.8)

        def made(places=places, best=best, rng=rng):
            return [
                trial(
                    number,
                    float(-12 * (a - best) ** 2 - 2 * (b - 0.5) ** 2 + rng.normal(0, 0.3)),
                    learning_rate=space["learning_rate"].at(a),
                    dropout=b / 2,
                )
                for number, (a, b) in enumerate(places.tolist())
            ]

        shares = importance(space, [made(), made()], ACCURACY)
        right += next(iter(shares)) == "learning_rate"
    assert right >= 18


def test_nothing_is_said_of_one_setting_or_a_few_trials():
    assert importance(RATES, [trials("dropout")], ACCURACY) == {}
    assert (
        importance(SPACE, [trials("dropout", count=POINTS_A_SETTING * 3 - 1)] * 9, ACCURACY) == {}
    )
    flat = [trial(i, 0.5, **one.settings) for i, one in enumerate(trials("dropout"))]
    assert importance(SPACE, [flat], ACCURACY) == {}
