"""Who gets more seeds: the rule case by case, then whole races in simulation."""

import numpy as np
import pytest

from gatewise.config import Reached
from gatewise.evidence import allocation, comparison
from gatewise.evidence.task_evidence import TaskEvidence
from tests.evidence_runs import record, study

ROUNDS = {"first": 6, "step": 2, "cap": 10}
TURN = np.array([1.0, -1, 1, -1, 1, -1, 1, -1, 1, -1])


def compared(scores, seeds=ROUNDS, primary=(), **compare):
    """The comparison of these scores; a variant has as many seeds as scores."""
    variants = tuple(scores)
    declared = study(
        variants,
        seeds=seeds,
        compare={"primary": list(primary), "resamples": 100, **compare},
    ).with_reached(Reached({"toy": {name: len(values) for name, values in scores.items()}}))
    records = [
        record("toy", variant, seed, float(score))
        for variant, values in scores.items()
        for seed, score in enumerate(values)
    ]
    return comparison.compare(declared, {"toy": TaskEvidence(records)})


def wanted(scores, **keys):
    return allocation.more_seeds(compared(scores, **keys)).get("toy", {})


def test_contenders_go_on_until_the_choice_is_near_enough():
    scores = {"rnn": 0.5 + 0.01 * TURN, "lstm": 0.9 + 0.02 * TURN, "gru": 0.9 - 0.02 * TURN}
    early = {name: values[:6] for name, values in scores.items()}
    assert wanted(early) == {"lstm": 8, "gru": 8}
    later = {**scores, "rnn": scores["rnn"][:6]}
    later |= {name: scores[name][:8] for name in ("lstm", "gru")}
    assert wanted(later) == {"lstm": 10, "gru": 10}
    assert wanted({**scores, "rnn": scores["rnn"][:6]}) == {}  # the cap
    assert wanted(early, tolerance=0.2) == {}
    assert wanted(early, seeds=6) == {}


def test_an_answered_task_ends_whatever_its_pairs():
    rng = np.random.default_rng(2)
    close = {name: 0.9 + 0.003 * rng.standard_normal(6) for name in ("lstm", "gru", "rnn")}
    pair = [["gru", "lstm"]]
    assert wanted(close, tolerance=0.05, primary=pair, seeds={**ROUNDS, "cap": 20}) == {}


def test_a_task_whose_pairs_are_decided_ends_without_a_near_choice():
    scores = {"lstm": 0.9 + 0.02 * TURN, "gru": 0.9 - 0.02 * TURN, "rnn": 0.5 + 0.02 * TURN}
    six = {name: values[:6] for name, values in scores.items()}
    assert wanted(six, primary=[["gru", "lstm"]]) == {"lstm": 8, "gru": 8}
    assert wanted(six, primary=[["rnn", "lstm"]], alpha=0.2) == {}


def test_a_pair_with_one_who_cannot_be_the_best_gets_no_more():
    scores = {
        "lstm": (0.9 + 0.004 * TURN)[:6],
        "gru": (0.8 + 0.1 * TURN * [1, 1, 1, 1, 1, 0.2, 1, 1, 1, 1])[:6],
        "rnn": (0.5 + 0.01 * TURN)[:6],
    }
    found = compared(scores, primary=[["rnn", "gru"]], tolerance=0.5)
    assert not found.tasks["toy"].answer.by_variant["rnn"].contender
    assert allocation.more_seeds(found) == {}


def test_what_was_saved_is_counted_against_a_fixed_design():
    scores = {"rnn": [0.5] * 6, "lstm": [0.9] * 10, "gru": [0.9] * 10}
    assert allocation.runs_saved(compared(scores)) == 4
    assert allocation.runs_saved(compared({n: v[:6] for n, v in scores.items()}, seeds=6)) is None
    assert allocation.in_words({"toy": {"lstm": 12, "gru": 12}}) == "toy (lstm, gru: 12 seeds)"


def race(rng, truth, spread, seeds, **keys):
    """Run a whole race; its last comparison."""
    cap = seeds["cap"]
    all_scores = np.array(truth) + spread * rng.standard_normal((cap, len(truth)))
    counts = {f"v{i}": seeds["first"] for i in range(len(truth))}
    while True:
        scores = {name: all_scores[:count, i] for i, (name, count) in enumerate(counts.items())}
        found = compared(scores, seeds=seeds, **keys)
        more = allocation.more_seeds(found).get("toy")
        if not more:
            return found
        counts |= more


@pytest.mark.slow
@pytest.mark.parametrize("truth", [(0.9, 0.9, 0.9, 0.9), (0.9, 0.895, 0.89, 0.85)])
def test_races_answer_as_promised_and_save_runs(truth):
    rng, runs, wrong, spent, answered = np.random.default_rng(1), 30, 0, 0, 0
    seeds = {"first": 8, "step": 4, "cap": 20}
    for _ in range(runs):
        found = race(rng, truth, 0.01, seeds).tasks["toy"]
        answer = found.answer
        behind = max(truth) - truth[int(answer.choice[1:])]
        wrong += answer.shortfall < behind - 1e-9 or "v0" not in answer.contenders
        spent += sum(len(summary.seeds) for summary in found.variants.values())
        answered += answer.within_tolerance
    assert wrong / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert answered / runs >= 0.9
    assert spent < 0.75 * runs * len(truth) * seeds["cap"]
