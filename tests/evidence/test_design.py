"""What bounds follow from how seeds were designed."""

import numpy as np
import pytest

from gatewise.artifacts import balanced
from gatewise.artifacts.prepared import TaskCard
from gatewise.config import SplitConfig
from gatewise.evidence import best, design, paired_scores

SPLIT = SplitConfig(validation=0.17, test=0.33, resample="balanced")


def card(resample):
    split = SPLIT.model_copy(update={"resample": resample}).model_dump(mode="json")
    return TaskCard.model_construct(resample=bool(resample), split=split)


def test_units_and_what_they_speak_of():
    assert design.of(None, None, 8) == design.Design(1, "this test set")
    assert design.of(card(False), 40, 8).speaks_of == "this test set"
    drawn = design.of(card(True), 6, 30)
    assert (drawn.round, drawn.speaks_of) == (1, "splits of these 6 groups, drawn at random")
    few, many = design.of(card("balanced"), 6, 15), design.of(card("balanced"), 6, 24)
    assert few.speaks_of == many.speaks_of == "these 6 groups, each tested equally often"
    assert (few.round, many.round) == (1, 3)  # five rounds are too few to flip, eight are not


def test_a_round_is_the_mean_of_its_seeds_and_counts_only_when_whole():
    scores = {"a": {s: float(s) for s in range(8)}, "b": dict.fromkeys(range(8), 1.0)}
    wanted = {variant: list(range(8)) for variant in scores}
    paired = paired_scores.pair("toy", scores, wanted, {}, 3)
    assert paired.units("a") == [1.0, 4.0]
    assert paired.seeds("a", 2) == [0, 1, 2, 3, 4, 5]
    assert paired.named(2) == "2 rounds of 3 seeds"
    del scores["b"][4]
    paired = paired_scores.pair("toy", scores, wanted, {}, 3)
    assert paired.units("a") == [1.0]
    assert paired.left_out == ("toy: the answer leaves out seed 4: b lacks a usable run with it.",)


@pytest.mark.parametrize("seeds", [15, 24])
@pytest.mark.parametrize("group_effect", [0.5, 3.0])
def test_bounds_over_these_groups_hold_as_often_as_promised(seeds, group_effect):
    """Variants suit different people; what counts is the mean over these six."""
    rng, runs, wrong = np.random.default_rng(seeds), 150, 0
    tested = [balanced.held_out(6, SPLIT, seed)[0] for seed in range(seeds)]
    unit = design.of(card("balanced"), 6, seeds).round
    for _ in range(runs):
        people = group_effect * rng.standard_normal((6, 4))
        truth = people.mean(axis=0)
        gains = np.array([people[who].mean(axis=0) for who in tested])
        gains += rng.standard_normal(gains.shape)
        units = gains.reshape(-1, unit, 4).mean(axis=1)
        found = best.standing(units, 0.05)
        wrong += bool((found.shortfall < truth.max() - truth - 1e-9).any())
        wrong += not found.contender[truth.argmax()]
    assert wrong / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_who_is_tested_no_longer_moves_a_balanced_mean():
    rng = np.random.default_rng(0)
    people = rng.standard_normal((300, 6))

    def moved(tested):
        means = np.mean([people[:, who].mean(axis=1) for who in tested], axis=0)
        return np.std(means - people.mean(axis=1))

    assert moved([balanced.held_out(6, SPLIT, seed)[0] for seed in range(15)]) < 1e-9
    assert moved([rng.permutation(6)[:2] for _ in range(15)]) > 0.05
