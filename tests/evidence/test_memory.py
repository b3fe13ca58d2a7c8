import pytest
from scipy import stats

from gatewise.evidence import memory
from tests.probe_reports import SEEDS, gradient, holding, problem, report, runs

ALPHA = 0.05


def verdicts(found):
    return [finding.verdict for finding in found]


def test_a_variant_that_holds_what_another_does_not_holds_longer():
    probes = {"lstm": holding(100), "rnn": holding(0)}
    adding, copy = memory.holds(probes, "lstm", "rnn", ALPHA)
    assert (adding.verdict, copy.verdict) == ("supported", "supported")
    assert adding.where == "adding"
    assert adding.n == SEEDS
    assert adding.effect == 1
    assert "4 of 4 seeds of lstm hold 50 steps" in adding.sentence
    assert "0 of 4 of rnn, within 1,500 updates of 32 examples" in adding.sentence
    assert verdicts(memory.holds(probes, "rnn", "lstm", ALPHA)) == ["refuted"] * 2


def test_the_length_that_is_told_is_the_one_that_decides():
    probes = {"lstm": holding(100), "gru": holding(50)}
    adding = memory.holds(probes, "lstm", "gru", ALPHA)[0]
    assert "hold 100 steps" in adding.sentence
    assert adding.verdict == "supported"


def test_where_both_hold_all_that_was_asked_a_difference_is_bounded():
    found = memory.holds({"lstm": holding(100), "gru": holding(100)}, "lstm", "gru", ALPHA)
    assert verdicts(found) == ["inconclusive"] * 2
    assert "both hold 100 steps" in found[0].sentence
    assert "beyond it only" in found[0].sentence


def test_where_nobody_learns_it_nothing_follows():
    none = {"lstm": holding(0), "gru": holding(0)}
    found = memory.holds(none, "lstm", "gru", ALPHA)
    assert verdicts(found) == ["inconclusive"] * 2
    assert "neither lstm nor gru learnt 50 steps" in found[0].sentence
    assert "nothing follows" in found[0].sentence
    assert memory.learns_faster(none, "lstm", "gru", ALPHA) == []


def test_a_problem_that_no_variant_learnt_is_named_with_the_budget():
    assert memory.unlearnt({"lstm": holding(0), "gru": holding(0)}) == [
        f"{name} problem: no variant learnt {length} steps in 1,500 updates of 32 examples; "
        "nothing follows from it. Raise probes.updates or ask for less."
        for name, length in (("adding", 50), ("copy", 20))
    ]
    assert memory.unlearnt({"lstm": holding(50), "gru": holding(0)}) == []
    assert memory.unlearnt({}) == []


def test_too_few_seeds_decide_nothing():
    half = problem("adding", [100, 100, 0, 0])
    probes = {"lstm": report({"adding": half}), "rnn": holding(0)}
    (found,) = memory.holds(probes, "lstm", "rnn", ALPHA)
    assert found.verdict == "inconclusive"


def test_how_fast_is_another_question_and_compares_the_longest_length_of_both():
    fast, slow = holding(100, (100, 110, 120, 130)), holding(100, (300, 310, 320, None))
    slow = slow.model_copy(
        update={"probes": {"adding": problem("adding", [100] * 3 + [0], (300, 310, 320, 900))}}
    )
    (found,) = memory.learns_faster({"gru": fast, "lstm": slow}, "gru", "lstm", ALPHA)
    assert found.verdict == "supported"
    assert found.sentence.startswith("100 adding problem: gru solves it after 110 (100 to 130)")
    assert found.effect == pytest.approx(110 / 310)
    turned = memory.learns_faster({"gru": fast, "lstm": slow}, "lstm", "gru", ALPHA)
    assert verdicts(turned) == ["refuted"]


def test_runs_that_never_solve_it_are_slower_than_any_that_do():
    found = memory.faster(
        ("a", runs((400, 500, 600, 700))), ("b", runs((None,) * 4)), ALPHA, "x", "x"
    )
    assert found.verdict == "supported"
    assert found.effect is None
    assert "b after more than 1,500 (log-rank" in found.sentence


def test_counting_goes_by_what_holds_on_longer_strings():
    def counting(reach, longest=30):
        return report({"counting": problem("counting", [longest] * SEEDS, reach=reach)})

    probes = {"lstm": counting([60] * 4), "gru": counting([30, 30, 40, 30])}
    (found,) = memory.counts(probes, "lstm", "gru", ALPHA)
    assert found.verdict == "supported"
    assert "up to n = 60/60/60/60 by seed, gru up to 30/30/40/30" in found.sentence
    probes["gru"] = counting([0] * 4, longest=0)
    (found,) = memory.counts(probes, "lstm", "gru", ALPHA)
    assert found.verdict == "inconclusive"
    assert "gru did not learn n up to 30" in found.sentence


def test_gradients_are_judged_at_the_stated_distance():
    probes = {"lstm": report({}, left=-0.5), "rnn": report({}, left=-12.0)}
    found = memory.alive(probes, "lstm", "rnn", ALPHA)
    assert verdicts(found) == ["supported"] * 2
    assert [finding.where for finding in found] == ["initial", "trained"]
    assert "reaches 50 steps back" in found[0].sentence
    assert verdicts(memory.vanishes(probes, "rnn", ALPHA)) == ["supported"] * 2
    assert verdicts(memory.vanishes(probes, "lstm", ALPHA)) == ["refuted"] * 2
    assert memory.alive(probes, "lstm", "gru", ALPHA) == []


def test_a_gradient_that_scatters_about_the_bound_is_left_open():
    def scattered(*left):
        decay = gradient(-1).initial.model_copy(update={"left": left})
        return {"rnn": report({}, gradient=gradient(-1).model_copy(update={"initial": decay}))}

    def first(*left):
        return memory.vanishes(scattered(*left), "rnn", ALPHA)[0]

    assert first(-1.0, -2.0, -2.5, -4.0).verdict == "inconclusive"
    assert first(-5.0, -6.0, -6.5, -7.0).verdict == "supported"
    assert first(-5.0).verdict == "inconclusive", "one seed decides nothing"
    assert first(-5.0, -6.0, -6.5, -7.0).interval == pytest.approx(
        stats.ttest_1samp([-5.0, -6.0, -6.5, -7.0], 0).confidence_interval(0.95)
    )


def test_starts_are_held_against_each_other():
    starts = {"torch": runs((500, 510, 520, 530)), "forget-bias": runs((200, 210, 220, 230))}
    adding = {"adding": problem("adding", [50] * 4)}
    probes = {
        "lstm": report(adding, starts),
        "gru": report(adding, {"torch": runs((100, 105, 110, 115))}),
    }
    helps = memory.start_against(probes, ("lstm", "forget-bias"), ("lstm", "torch"), ALPHA)
    assert verdicts(helps) == ["supported"]
    closes = memory.start_against(probes, ("lstm", "forget-bias"), ("gru", "torch"), ALPHA)
    assert verdicts(closes) == ["refuted"]
    assert memory.start_against(probes, ("lstm", "chrono"), ("lstm", "torch"), ALPHA) == []
    never = {"lstm": report(adding, dict.fromkeys(("chrono", "torch"), runs((None,) * 4)))}
    (found,) = memory.start_against(never, ("lstm", "chrono"), ("lstm", "torch"), ALPHA)
    assert "nothing follows" in found.sentence


def test_difference_of_shares_is_newcombes():
    # Newcombe 1998, table II: 56/70 - 48/80, method 10.
    assert memory.difference_of_shares(56, 70, 48, 80, 0.95) == pytest.approx(
        (0.0524, 0.3339), abs=1e-4
    )
    low, high = memory.difference_of_shares(4, 4, 0, 4, 0.95)
    assert 0 < low < high == pytest.approx(1, abs=1e-9)
    assert stats.fisher_exact([[4, 0], [0, 4]]).pvalue == pytest.approx(2 / 70)
