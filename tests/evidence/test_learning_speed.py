import pytest

from gatewise.evidence import learning_speed
from tests.probe_reports import holding, problem, report, runs

ALPHA = 0.05


def verdicts(found):
    return [finding.verdict for finding in found]


def test_how_fast_is_another_question_and_compares_the_longest_length_of_both():
    fast, slow = holding(100, (100, 110, 120, 130)), holding(100, (300, 310, 320, None))
    slow = slow.model_copy(
        update={"probes": {"adding": problem("adding", [100] * 3 + [0], (300, 310, 320, 900))}}
    )
    (found,) = learning_speed.learns_faster({"gru": fast, "lstm": slow}, "gru", "lstm", ALPHA)
    assert found.verdict == "supported"
    assert found.sentence.startswith("100 adding problem: gru solves it after 110 (100 to 130)")
    assert found.effect == pytest.approx(110 / 310)
    turned = learning_speed.learns_faster({"gru": fast, "lstm": slow}, "lstm", "gru", ALPHA)
    assert verdicts(turned) == ["refuted"]


def test_runs_that_never_solve_it_are_slower_than_any_that_do():
    found = learning_speed.faster(
        ("a", runs((400, 500, 600, 700))), ("b", runs((None,) * 4)), ALPHA, "x", "x"
    )
    assert found.verdict == "supported"
    assert found.effect is None
    assert "b after more than 1,500 (log-rank" in found.sentence


def test_starts_are_held_against_each_other():
    starts = {"torch": runs((500, 510, 520, 530)), "forget-bias": runs((200, 210, 220, 230))}
    adding = {"adding": problem("adding", [50] * 4)}
    probes = {
        "lstm": report(adding, starts),
        "gru": report(adding, {"torch": runs((100, 105, 110, 115))}),
    }
    helps = learning_speed.start_against(probes, ("lstm", "forget-bias"), ("lstm", "torch"), ALPHA)
    assert verdicts(helps) == ["supported"]
    closes = learning_speed.start_against(probes, ("lstm", "forget-bias"), ("gru", "torch"), ALPHA)
    assert verdicts(closes) == ["refuted"]
    assert learning_speed.start_against(probes, ("lstm", "chrono"), ("lstm", "torch"), ALPHA) == []
    never = {"lstm": report(adding, dict.fromkeys(("chrono", "torch"), runs((None,) * 4)))}
    (found,) = learning_speed.start_against(never, ("lstm", "chrono"), ("lstm", "torch"), ALPHA)
    assert "nothing follows" in found.sentence
