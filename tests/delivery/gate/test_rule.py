"""The rule itself, on differences that are given."""

import dataclasses

import pytest

from gatewise.config import GateConfig
from gatewise.config.metrics import METRICS
from gatewise.delivery.gate import rule
from gatewise.delivery.gate.interval import Difference
from gatewise.delivery.gate.rule import Check

SETTINGS = GateConfig()
ACCURACY, LOG_LOSS = METRICS["accuracy"], METRICS["log_loss"]


def difference(value, se=0.002, **changes):
    made = Difference(value, 0.9 + value, 0.9, se, 0.0, 30.0, 8, 40, se * 8**0.5)
    return dataclasses.replace(made, **changes)


def check(gain, se=0.002, variant="gru", must_pass=True, metric=ACCURACY, **changes):
    """A check of a candidate that is better by `gain`, whichever way the metric goes."""
    made = Check("toy", variant, "gru", "then", metric, must_pass)
    made.overall = difference(metric.gain(gain), se) if gain is not None else None
    for name, given in changes.items():
        setattr(made, name, given)
    return made


@pytest.mark.parametrize("metric", [ACCURACY, LOG_LOSS], ids=lambda metric: metric.direction)
@pytest.mark.parametrize(
    ("gain", "se", "verdict"),
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
def test_verdicts(metric, gain, se, verdict):
    one = check(gain, se, metric=metric)
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


def test_reasons_are_in_the_metrics_own_value_and_unit():
    worse = check(-0.03, metric=LOG_LOSS)
    rule.decide([worse], SETTINGS)
    assert worse.reasons == ["worse than the reference (+0.0300 nats, bounds +0.0266 to +0.0334)"]
    fine = check(0.0, metric=LOG_LOSS, slices={"class a": difference(-0.2, 0.01)})
    rule.decide([fine], SETTINGS)
    assert fine.reasons[0] == "class a fell by 20 points", "slices go by accuracy"
    assert fine.reasons[1].startswith("not worse by 0.01 nats (")
