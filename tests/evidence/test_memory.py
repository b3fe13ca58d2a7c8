import pytest
from scipy import stats

from gatewise.evidence import learning_speed, memory
from tests.probe_reports import SEEDS, holding, problem, report

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


def test_runs_that_were_stopped_early_are_not_said_to_have_had_the_budget():
    rnn = holding(0)
    adding = rnn.probes["adding"]
    first = adding.lengths[0]
    stopped = tuple(run.model_copy(update={"futile": True, "updates": 750}) for run in first.runs)
    lengths = (first.model_copy(update={"runs": stopped}),)
    futile = rnn.model_copy(
        update={"probes": {"adding": adding.model_copy(update={"lengths": lengths})}}
    )
    (found,) = memory.holds({"lstm": holding(100), "rnn": futile}, "lstm", "rnn", ALPHA)
    assert found.sentence.endswith("4 runs were stopped as futile, after 750 updates or more.")


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
    assert learning_speed.learns_faster(none, "lstm", "gru", ALPHA) == []


def test_a_problem_that_no_variant_learnt_is_named_with_the_budget():
    assert memory.unlearnt({"lstm": holding(0), "gru": holding(0)}) == [
        f"{name} problem: no variant learnt {length} steps in 1,500 updates of 32 examples; "
        "nothing follows from it. Raise the updates or ask for less."
        for name, length in (("adding", 50), ("copy", 20))
    ]
    assert memory.unlearnt({"lstm": holding(50), "gru": holding(0)}) == []
    assert memory.unlearnt({}) == []


def test_too_few_seeds_decide_nothing():
    half = problem("adding", [100, 100, 0, 0])
    probes = {"lstm": report({"adding": half}), "rnn": holding(0)}
    (found,) = memory.holds(probes, "lstm", "rnn", ALPHA)
    assert found.verdict == "inconclusive"


def test_counting_goes_by_what_holds_on_longer_strings():
    def counting(reach, longest=30):
        return report({"counting": problem("counting", [longest] * SEEDS, reach=reach)})

    probes = {"lstm": counting([60] * 4), "gru": counting([30, 30, 40, 30])}
    (found,) = memory.counts(probes, "lstm", "gru", ALPHA)
    assert found.verdict == "supported"
    assert "up to n = 60/60/60/60 by seed, gru up to 30/30/40/30" in found.sentence
    assert found.interval == pytest.approx((1.5, 2.0)), "times as long, at least and at most"
    probes["gru"] = counting([0] * 4, longest=0)
    (found,) = memory.counts(probes, "lstm", "gru", ALPHA)
    assert found.verdict == "inconclusive"
    assert "gru did not learn n up to 30" in found.sentence


def test_difference_of_shares_is_newcombes():
    # Newcombe 1998, table II: 56/70 - 48/80, method 10.
    assert memory.difference_of_shares(56, 70, 48, 80, 0.95) == pytest.approx(
        (0.0524, 0.3339), abs=1e-4
    )
    low, high = memory.difference_of_shares(4, 4, 0, 4, 0.95)
    assert 0 < low < high == pytest.approx(1, abs=1e-9)
    assert stats.fisher_exact([[4, 0], [0, 4]]).pvalue == pytest.approx(2 / 70)
