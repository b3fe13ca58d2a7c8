"""Standings at every look, where variants leave."""

import numpy as np
import pytest

from gatewise.config import Rounds
from gatewise.evidence import race

ALPHA = 0.05


def names(variants):
    return [f"v{i}" for i in range(variants)]


def test_a_fixed_study_is_looked_at_once():
    assert race.looks(None, 8, ALPHA) == [race.Look(8, ALPHA)]
    planned = race.looks([8, 12, 16], 8, ALPHA)
    assert [look.units for look in planned] == [8, 12, 16]
    assert 0 < planned[0].alpha < ALPHA
    assert sum(look.alpha for look in planned) > ALPHA  # the looks depend on each other


def test_who_is_excluded_stays_so_and_needs_no_more_seeds():
    rng = np.random.default_rng(0)
    scores = rng.standard_normal((16, 3)) + np.array([0, 0, -6])
    planned = race.looks([8, 12, 16], 16, ALPHA)
    whole = race.follow(dict(zip(names(3), scores.T.tolist(), strict=True)), planned)
    assert not whole["v2"].contender
    assert whole["v2"].units == 8
    assert [whole[name].units for name in ("v0", "v1")] == [16, 16]
    short = {"v0": scores[:, 0], "v1": scores[:, 1], "v2": scores[:8, 2]}
    assert race.follow({n: list(s) for n, s in short.items()}, planned) == whole


def test_a_bound_that_a_look_gave_is_kept():
    rng = np.random.default_rng(1)
    scores = {"a": rng.standard_normal(12).tolist(), "b": rng.standard_normal(12).tolist()}
    planned = race.looks([8, 12], 12, ALPHA)
    early, late = race.follow(scores, planned[:1]), race.follow(scores, planned)
    assert all(late[name].shortfall <= early[name].shortfall for name in scores)


def test_a_look_waits_for_all_who_may_be_the_best():
    rng = np.random.default_rng(2)
    scores = {name: rng.standard_normal(12).tolist() for name in names(3)}
    planned = race.looks([8, 12], 12, ALPHA)
    late = {**scores, "v2": scores["v2"][:8]}
    assert race.follow(late, planned) == race.follow(scores, planned[:1])


def test_before_the_first_look_nothing_is_known():
    places = race.follow({"a": [1.0] * 3, "b": [0.0] * 3}, race.looks([8, 12], 3, ALPHA))
    assert all(p.contender and np.isinf(p.shortfall) and p.units == 0 for p in places.values())


@pytest.mark.parametrize("shape", ["normal", "correlated", "skewed", "rounded"])
def test_every_statement_of_every_look_holds_as_often_as_promised(shape):
    at, variants, runs, wrong = Rounds(first=8, step=4, cap=24).looks, 4, 60, 0
    planned, rng = race.looks(at, at[-1], ALPHA), np.random.default_rng(7)
    truth = np.array([0.0, -0.2, -0.6, -1.5])
    for _ in range(runs):
        scores = rng.standard_normal((at[-1], variants))
        if shape == "correlated":
            scores = 0.5 * scores + 0.4 * rng.standard_normal(scores.shape).cumsum(axis=1)
        if shape == "skewed":
            scores = rng.exponential(size=scores.shape)
        if shape == "rounded":
            scores = scores.round()
        gains = dict(zip(names(variants), (truth + scores).T.tolist(), strict=True))
        false = False
        for look in range(1, len(planned) + 1):
            places = race.follow(gains, planned[:look])
            false |= not places["v0"].contender
            false |= any(
                places[n].shortfall < -t - 1e-9 for n, t in zip(places, truth, strict=True)
            )
        wrong += false
    assert wrong / runs <= ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / runs)
