"""Who becomes champion, on evidence that is given."""

import pytest

from gatewise.config import GateConfig
from gatewise.config.metrics import METRICS
from gatewise.delivery.gate import promotion, rule
from gatewise.delivery.gate.costs import Budget, Cost
from tests.delivery.gate.test_rule import SETTINGS, check, difference
from tests.evidence_runs import answer, pair, summary, task_comparison

ROPE = 0.005
CHAMPION = Cost(1000.0, 500.0)
COSTS = {"gru": CHAMPION, "small": Cost(700.0, 400.0), "odd": Cost(700.0, 900.0)}


@pytest.fixture(params=["accuracy", "log_loss"])
def metric(request):
    """Higher and lower is better."""
    return METRICS[request.param]


def promoted(*checks, verdict="pass"):
    rule.decide(checks, SETTINGS)
    return promotion.by_gate("toy", checks, verdict, COSTS, CHAMPION, SETTINGS, ROPE)


def test_only_what_is_shown_to_be_better_is_promoted(metric):
    assert promoted(check(0.02, metric=metric)).promote
    assert not promoted(check(0.02, 0.02, metric=metric)).promote
    assert not promoted(check(-0.02, metric=metric)).promote
    assert not promoted(check(0.0, metric=metric)).promote  # as good is not better
    assert not promoted(check(0.02, metric=metric), verdict="undecided").promote
    better = check(0.03, variant="small", must_pass=False, metric=metric)
    best = promoted(check(0.02, metric=metric), better)
    assert (best.promote, best.variant) == (True, "small")


def test_the_reason_is_in_the_metrics_own_value():
    better = promoted(check(0.02, metric=METRICS["log_loss"]))
    assert better.reason.startswith("better than the champion by 0.02 nats (-0.0200 nats, bounds -")


def test_as_good_and_cheaper_by_the_stated_rule_is_promoted(metric):
    def challenger(variant, se=0.001):
        return check(0.0, se, variant=variant, must_pass=False, metric=metric)

    found = promoted(check(0.0, 0.001, metric=metric), challenger("small"))
    assert (found.promote, found.variant) == (True, "small")
    assert "30% fewer multiply-accumulates" in found.reason
    assert not promoted(challenger("odd")).promote
    assert not promoted(challenger("small", 0.01)).promote


def test_what_breaks_a_budget_or_falls_in_a_slice_is_not_promoted():
    over = Budget("macs", "", 2.0, 1.0, 1.1, True)
    assert not promoted(check(0.05, variant="small", must_pass=False, budgets=[over])).promote
    fallen = {"class a": difference(-0.3, 0.01)}
    assert not promoted(check(0.05, variant="small", must_pass=False, slices=fallen)).promote


def test_trying_many_candidates_makes_a_lucky_one_less_likely(metric):
    lucky = check(0.0038, 0.002, variant="small", must_pass=False, metric=metric)
    assert promoted(lucky).promote
    others = [check(0.0, variant=name, must_pass=False, metric=metric) for name in ("gru", "odd")]
    assert not promoted(lucky, *others).promote


def test_to_be_cheaper_takes_the_stated_share_and_no_more_parameters():
    assert Cost(300, 100).saves(Cost(400, 100), 0.25)
    assert not Cost(301, 100).saves(Cost(400, 100), 0.25)
    assert not Cost(300, 101).saves(Cost(400, 100), 0.25)


# --- by the comparison ---------------------------------------------------------------------


def compared(verdict):
    variants = {
        name: summary(0.9, 0.9, macs_per_step=macs, parameters=100)
        for name, macs in (("gru", 300), ("lstm", 400))
    }
    return task_comparison(variants, pair("gru", "lstm", verdict))


def settings(cheaper):
    return GateConfig(cheaper=cheaper)


@pytest.mark.parametrize(
    ("verdict", "challenger", "champion", "promoted"),
    [
        ("undecided", "gru", None, True),
        ("undecided", "gru", "gru", False),
        ("undecided", "gru", "lstm", False),
        ("gru", "gru", "lstm", True),
        ("gru", "lstm", "gru", False),
        ("equivalent", "gru", "lstm", True),
        ("equivalent", "lstm", "gru", False),
        ("gru", "rnn", "gru", False),
    ],
)
def test_evidence_decides(verdict, challenger, champion, promoted):
    decision = promotion.by_comparison(
        "toy", compared(verdict), challenger, champion, settings(0.1)
    )
    assert decision.promote is promoted
    assert decision.reason


def test_equivalent_is_enough_only_if_it_is_cheaper_by_the_stated_share():
    refused = promotion.by_comparison("toy", compared("equivalent"), "gru", "lstm", settings(0.3))
    assert not refused.promote
    assert refused.reason.startswith("gru and lstm are equivalent within ±0.5 points (")
    assert refused.reason.endswith("; it does not need 30% fewer multiply-accumulates")


@pytest.mark.parametrize("champion", ["lstm", "gru"])
def test_a_comparison_of_other_runs_says_nothing_about_the_champion(champion):
    decision = promotion.by_comparison(
        "toy", compared("gru"), "gru", champion, settings(0.1), compared=False
    )
    assert not decision.promote
    assert "`gatewise retrain --promote`" in decision.reason


# --- the first of all ----------------------------------------------------------------------


def cheap_but_not_best(**changes):
    variants = {"lstm": summary(0.93, 0.93), "gru": summary(0.92, 0.92)}
    return task_comparison(variants, pair("gru", "lstm"), **changes)


def test_the_first_champion_is_the_answers_choice_and_not_the_best_mean():
    task = cheap_but_not_best(answer=answer("gru", "lstm"))
    found = promotion.first("toy", task)
    assert (task.leader, found.promote, found.variant) == ("lstm", True, "gru")
    assert found.reason.startswith("there was no champion; the answer's choice, gru: at most ")
    assert promotion.by_comparison("toy", task, "gru", None, settings(0.1)) == found


def test_another_variant_may_be_asked_for():
    task = cheap_but_not_best(answer=answer("gru", "lstm"))
    found = promotion.first("toy", task, "lstm")
    assert (found.promote, found.variant) == (True, "lstm")
    assert found.reason.endswith("lstm was asked for, the answer's choice is gru")


def test_without_an_answer_the_best_mean_is_first():
    found = promotion.first("toy", cheap_but_not_best())
    assert found.variant == "lstm"
    assert found.reason.endswith("lstm has the best mean score")
