"""From runs to an answer: choice, bounds, sentence, and what limits them."""

import numpy as np
import pytest

from gatewise.artifacts.comparison import Comparison
from gatewise.config import CompareConfig
from gatewise.config.metrics import METRICS
from gatewise.evidence import answer, answer_words, comparison
from gatewise.evidence.paired_scores import PairedScores
from gatewise.evidence.race import Place
from gatewise.evidence.task_evidence import TaskEvidence
from tests.counted import count
from tests.evidence_runs import cost_report, record, study, summary, variant_cost

TURN = 0.004 * np.array([1.0, -1, 1, -1, 1, -1, 1, -1])
MACS = {"rnn": 250, "gru": 750, "lstm": 1000}
SCORES = {"rnn": 0.80 + TURN, "gru": 0.902 - TURN, "lstm": 0.903 + TURN[::-1] * 0.5}


def predicted(seed, test_set="", groups=6, examples=60):
    """Predictions of a run, a tenth of which are wrong."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=examples)
    wrong = rng.random(examples) < 0.1
    probabilities = np.eye(3)[np.where(wrong, (labels + 1) % 3, labels)]
    group = np.arange(examples) % groups
    return count(labels, probabilities, group, [str(g) for g in range(groups)], test_set)


def compared(scores=SCORES, metric="accuracy", predictions=None, cost=None, **keys) -> Comparison:
    seeds = max(len(by_seed) for by_seed in scores.values())
    declared = study(tuple(scores), metric=metric, seeds=seeds, **keys)
    records = [
        record("toy", variant, seed, float(score), macs_per_step=MACS.get(variant, 900))
        for variant, by_seed in scores.items()
        for seed, score in enumerate(by_seed)
        if np.isfinite(score)
    ]
    evidence = TaskEvidence(records, cost=cost, predictions=predictions or {})
    return comparison.compare(declared, {"toy": evidence})


def answered(*arguments, choose="macs", tolerance=0.01, **keys):
    compare = {"choose": choose, "tolerance": tolerance, "resamples": 500}
    return compared(*arguments, compare=compare, **keys).tasks["toy"].answer


def test_the_cheapest_that_is_near_enough_is_taken():
    found = answered()
    assert found.choice == "gru"
    assert found.within_tolerance
    assert 0 < found.shortfall <= 0.01
    assert not found.by_variant["rnn"].contender
    assert found.contenders == ("lstm", "gru")
    assert found.by_variant["lstm"].cost_ratio["macs"] == pytest.approx(4 / 3)
    text = found.sentence
    assert text.startswith("take gru: at most 0.")
    assert "points below the best (95 %), 25 % fewer multiply-accumulates than lstm" in text
    assert text.endswith("if only accuracy counts: lstm or gru, the data do not say which")


def test_a_wide_tolerance_takes_the_cheapest_of_all_and_says_what_it_costs():
    found = answered(tolerance=0.2)
    assert found.choice == "rnn"
    assert found.shortfall == pytest.approx(0.103, abs=0.01)
    assert "75 % fewer multiply-accumulates than lstm" in found.sentence


def test_by_score_the_smallest_shortfall_is_taken():
    found = answered(choose="accuracy")
    assert found.choice == min(found.by_variant, key=lambda v: found.by_variant[v].shortfall)


def test_where_none_is_near_enough_the_nearest_is_taken_and_the_sentence_says_so():
    found = answered(tolerance=0.0001)
    assert not found.within_tolerance
    assert "points below the best (95 %), more than the 0.01 points allowed" in found.sentence


def test_the_choice_among_equals_is_the_one_with_the_better_mean():
    places = {name: Place(True, 0.001, 8) for name in "ab"}
    costs = {name: {"macs": 10.0} for name in "ab"}
    assert answer.choose("macs", 0.01, ["b", "a"], places, costs) == "b"


def test_a_loss_is_answered_in_nats_and_lower_is_better():
    losses = answered(metric="log_loss")
    scores = answered()
    assert losses.choice == scores.choice == "gru"
    # In these records the loss is one less the accuracy.
    assert losses.shortfall == pytest.approx(scores.shortfall)
    assert (
        f"at most {answer_words.amount(losses.shortfall, METRICS['log_loss'])}" in losses.sentence
    )
    assert "nats below the best" in losses.sentence
    assert "if only log loss counts" in losses.sentence


def test_looks_within_one_round_of_seeds_are_one_look():
    rng = np.random.default_rng(0)
    scores = {v: dict(enumerate(0.9 + 0.01 * rng.standard_normal(24))) for v in ("lstm", "gru")}
    variants = {v: summary(*by_seed.values()) for v, by_seed in scores.items()}
    paired = PairedScores(scores, round=3)
    settings = CompareConfig()

    def units(looks):
        question = answer.Question(METRICS["accuracy"], settings, looks, "these people")
        return answer.find(question, paired, variants, {})

    assert units([24, 25, 26]) == units(None)
    assert units([24, 25, 26]).unit_words == "8 rounds of 3 seeds"


def test_bounds_are_rounded_up():
    accuracy, loss = METRICS["accuracy"], METRICS["log_loss"]
    assert answer_words.amount(0.0101, accuracy) == "1.1 points"
    assert answer_words.amount(0.01, accuracy) == "1.0 points"
    assert answer_words.amount(0.00011, loss) == "0.001 nats"
    assert answer_words.margin(0.01, accuracy) == "1 point"
    assert answer_words.margin(0.005, accuracy) == "0.5 points"


def test_a_lone_best_needs_no_other_words():
    found = answered({"lstm": 0.9 + TURN, "gru": 0.7 - TURN})
    assert found.choice == "lstm"
    assert found.shortfall == 0
    assert "take lstm: no other variant is better (95 %)" in found.sentence
    assert "if only" not in found.sentence


def test_other_test_groups_are_warned_of_where_they_could_cost_much():
    predictions = {v: {seed: predicted(seed) for seed in range(8)} for v in SCORES}
    # The GRU suits one speaker of six and fails another, with every seed alike.
    for seed in range(8):
        counts = predictions["gru"][seed].counts
        counts[0, 0, :] = counts[0, 2, :]
        counts[1, 0, :] = 0
    found = answered(predictions=predictions)
    assert found.shortfall_over_groups > 1.5 * found.shortfall
    assert "on other test groups at most about" in found.sentence


def test_the_bound_over_groups_is_never_below_the_one_over_seeds():
    predictions = {v: {seed: predicted(seed) for seed in range(8)} for v in SCORES}
    found = answered(predictions=predictions)
    for own in found.by_variant.values():
        assert own.shortfall_over_groups >= own.shortfall


# --- what limits an answer -----------------------------------------------------------------


def test_one_variant_alone():
    found = answered({"gru": 0.9 + TURN})
    assert found.choice == "gru"
    assert found.shortfall == 0
    assert "there is no other variant to compare it with" in found.sentence
    assert found.caveats == ("Only one variant was trained: nothing can be said of the best.",)


@pytest.mark.parametrize("seeds", [1, 4])
def test_too_few_seeds_give_no_bound(seeds):
    found = answered({name: by_seed[:seeds] for name, by_seed in SCORES.items()})
    assert found.choice == "lstm"  # by its mean alone
    assert found.shortfall is None
    assert not found.within_tolerance
    assert set(found.contenders) == set(SCORES)
    assert "best so far, but with too few seeds for a bound" in found.sentence
    assert f"{seeds} paired seed" in found.caveats[0]
    assert "that takes 5 at least" in found.caveats[0]


def test_a_cost_that_was_not_measured():
    found = answered(choose="latency")
    assert (found.rule, found.chosen_by) == ("latency", "accuracy")
    assert "the latency of one example was not measured for every variant" in found.caveats[0]
    assert "dvc repro profile" in found.caveats[0]


def test_a_cost_that_was_measured():
    cost = cost_report(rnn=variant_cost(1.0), gru=variant_cost(2.0), lstm=variant_cost(3.0))
    found = answered(choose="step_time", cost=cost)
    assert found.choice == "gru"
    assert found.by_variant["lstm"].cost_ratio["step_time"] == pytest.approx(1.5)
    assert "1.5 times as fast a step here" in found.sentence


def test_a_choice_that_costs_more_says_why_the_cheaper_one_is_not_taken():
    cost = cost_report(gru=variant_cost(3.0), lstm=variant_cost(2.0))
    clear = {"lstm": 0.92 + TURN, "gru": 0.90 - TURN}
    found = answered(clear, cost=cost)
    assert (found.choice, found.compared_with) == ("lstm", "gru")
    lacking = answer_words.amount(found.by_variant["gru"].shortfall, METRICS["accuracy"])
    assert (
        "; gru needs 25 % fewer multiply-accumulates (though a step takes 1.5 times as long here), "
        f"but may lie {lacking} below the best" in found.sentence
    )


def test_costs_that_are_equal_by_design_are_not_told(monkeypatch):
    monkeypatch.setitem(MACS, "matched", 1000)
    # Beside the variant of its own budget, the choice is held against one that costs less.
    close = {"lstm": 0.92 + TURN, "matched": 0.919 - TURN, "gru": 0.90 - TURN}
    found = answered(close, tolerance=0.005)
    assert (found.choice, found.compared_with) == ("lstm", "gru")
    assert "matched" in found.contenders
    # With no other budget to speak of there is only the time, which says beside whose.
    cost = cost_report(lstm=variant_cost(2.0), matched=variant_cost(3.0))
    pair = {name: close[name] for name in ("lstm", "matched")}
    found = answered(pair, tolerance=0.02, cost=cost)
    assert "multiply-accumulates" not in found.sentence
    assert f", 1.5 times as fast a step here as {found.compared_with}" in found.sentence


def test_a_tolerance_finer_than_one_test_example():
    predictions = {v: {seed: predicted(seed) for seed in range(8)} for v in SCORES}
    (said,) = answered(predictions=predictions, tolerance=0.001).caveats
    assert said == (
        "compare.tolerance is 0.1 points, but one of 60 test examples is 1.67 points: "
        "no test set of this size can resolve it."
    )


def test_seeds_with_other_test_examples_are_left_out():
    predictions = {v: {seed: predicted(seed, "one") for seed in range(8)} for v in SCORES}
    predictions["gru"][3] = predicted(3, "another")
    found = answered(predictions=predictions)
    assert found.units == 7
    assert (
        "toy: the answer leaves out seed 3: rnn and gru were tested on different examples with it."
        in found.caveats
    )


def test_a_seed_that_one_variant_lacks_is_left_out():
    scores = {**SCORES, "rnn": np.where(np.arange(8) == 2, np.nan, SCORES["rnn"])}
    found = answered(scores)
    assert found.units == 7
    assert "seed 2: rnn lacks a usable run with it" in found.caveats[0]


def test_no_run_no_answer():
    declared = study(tasks=("toy", "other"), seeds=2)
    records = [record("toy", variant, 0, 0.9) for variant in ("lstm", "gru")]
    found = comparison.compare(declared, {"toy": TaskEvidence(records)})
    assert found.tasks["other"].answer is None
    assert found.tasks["toy"].answer is not None


def test_an_answer_survives_being_written_and_read(tmp_path):
    found = compared()
    found.write(tmp_path / "comparison.json")
    assert Comparison.read(tmp_path / "comparison.json").tasks["toy"].answer == (
        found.tasks["toy"].answer
    )
