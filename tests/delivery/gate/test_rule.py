"""The rule itself, on differences that are given."""

import dataclasses

import pytest

from gatewise.config import GateConfig
from gatewise.delivery.gate import rule
from gatewise.delivery.gate.interval import Difference
from gatewise.delivery.gate.rule import Check

SETTINGS = GateConfig()
ROPE = 0.005


def difference(value, se=0.002, **changes):
    made = Difference(value, 0.9 + value, 0.9, se, 0.0, 30.0, 8, 40, se * 8**0.5)
    return dataclasses.replace(made, **changes)


def check(value, se=0.002, variant="gru", must_pass=True, **changes):
    made = Check("toy", variant, "gru", "then", "accuracy", must_pass)
    made.overall = difference(value, se) if value is not None else None
    for name, given in changes.items():
        setattr(made, name, given)
    return made


@pytest.mark.parametrize(
    ("value", "se", "verdict"),
    [
        (0.0, 0.002, "pass"),
        (0.03, 0.002, "pass"),
        (-0.004, 0.001, "pass"),  # worse, but not by what matters
        (-0.03, 0.002, "regression"),
        (-0.012, 0.004, "regression"),
        (0.0, 0.02, "undecided"),
        (-0.012, 0.012, "undecided"),
        (0.0, 0.0, "pass"),
        (-0.02, 0.0, "regression"),
        (None, 0.0, "undecided"),
    ],
)
def test_verdicts(value, se, verdict):
    one = check(value, se)
    assert rule.decide([one], SETTINGS) == one.verdict == verdict
    assert one.reasons


def test_the_worst_variant_decides_and_challengers_do_not():
    fine, bad = check(0.0), check(-0.05)
    assert rule.decide([fine, bad], SETTINGS) == "regression"
    assert rule.decide([fine, check(-0.05, must_pass=False)], SETTINGS) == "pass"


def test_many_comparisons_make_a_single_alarm_harder():
    alone = check(-0.012, 0.0055)
    assert rule.decide([alone], SETTINGS) == "regression"
    crowd = [check(-0.012, 0.0055), *(check(0.0) for _ in range(20))]
    assert rule.decide(crowd, SETTINGS) == "undecided"


def test_a_slice_must_fall_far_and_for_sure():
    for value, se, fallen in [(-0.2, 0.02, True), (-0.03, 0.001, False), (-0.2, 0.2, False)]:
        one = check(0.0, slices={"class a": difference(value, se), "class b": difference(0.0)})
        verdict = rule.decide([one], SETTINGS)
        assert (one.fallen == ["class a"]) is fallen
        assert verdict == ("regression" if fallen else "pass")


def test_the_seeds_that_would_settle_it():
    one = check(0.0, 0.008)
    assert rule.decide([one], SETTINGS) == "undecided"
    assert 5 < one.seeds_needed < 100
    assert f"about {one.seeds_needed} more seeds would settle it" in one.reasons[-1]
    doubtful = difference(0.0, 0.002, se_units=0.02, lasting=0.9)
    assert rule.seeds_needed(doubtful, SETTINGS) is None
    hopeless = check(None)
    hopeless.overall = doubtful
    rule.decide([hopeless], SETTINGS)
    assert "more test groups would" in hopeless.reasons[-1]
    narrow = check(0.0, 0.05)
    rule.decide([narrow], SETTINGS.model_copy(update={"margin": 0.001}))
    assert "more than 10,000 seeds would be needed" in narrow.reasons[-1]


COSTS = {
    "": (1000.0, 500.0),
    "gru": (1000.0, 500.0),
    "small": (700.0, 400.0),
    "odd": (700.0, 900.0),
}


def promoted(*checks, verdict="pass"):
    rule.decide(checks, SETTINGS)
    return rule.promotion("toy", checks, verdict, COSTS, SETTINGS, ROPE)


def test_only_what_is_shown_to_be_better_is_promoted():
    assert promoted(check(0.02)).promote
    assert not promoted(check(0.02, 0.02)).promote
    assert not promoted(check(0.0)).promote  # as good is not better
    assert not promoted(check(0.02), verdict="undecided").promote
    best = promoted(check(0.02), check(0.03, variant="small", must_pass=False))
    assert (best.promote, best.variant) == (True, "small")


def test_as_good_and_cheaper_by_the_stated_rule_is_promoted():
    tight = 0.001
    equal = check(0.0, tight, variant="small", must_pass=False)
    found = promoted(check(0.0, tight), equal)
    assert (found.promote, found.variant) == (True, "small")
    assert "30 % fewer multiply-accumulates" in found.reason
    assert not promoted(check(0.0, tight, variant="odd", must_pass=False)).promote
    assert not promoted(check(0.0, 0.01, variant="small", must_pass=False)).promote


def test_what_breaks_a_budget_or_falls_in_a_slice_is_not_promoted():
    from gatewise.delivery.gate.costs import Budget

    over = Budget("macs", "", 2.0, 1.0, 1.1, True)
    assert not promoted(check(0.05, variant="small", must_pass=False, budgets=[over])).promote
    fallen = {"class a": difference(-0.3, 0.01)}
    assert not promoted(check(0.05, variant="small", must_pass=False, slices=fallen)).promote


def test_trying_many_candidates_makes_a_lucky_one_less_likely():
    lucky = check(0.0038, 0.002, variant="small", must_pass=False)
    assert promoted(lucky).promote
    others = [check(0.0, variant=name, must_pass=False) for name in ("gru", "odd")]
    assert not promoted(lucky, *others).promote
