import math

import numpy as np
import pytest

from gatewise.artifacts.comparison import Comparison
from gatewise.errors import GatewiseError
from gatewise.evidence import allocation, comparison
from gatewise.evidence.task_evidence import TaskEvidence
from gatewise.files import write_json
from tests.evidence_runs import cost_report, record, study, variant_cost, write_run

SEEDS = range(8)


def runs(scores, task="toy"):
    """Records from `{variant: [score of seed 0, ...]}`; `None` leaves the run out."""
    return [
        record(task, variant, seed, score)
        for variant, values in scores.items()
        for seed, score in enumerate(values)
        if score is not None
    ]


def compare(study, records, costs=None):
    evidence = {
        task: TaskEvidence([r for r in records if r.task == task], cost=(costs or {}).get(task))
        for task in study.tasks
    }
    return comparison.compare(study, evidence)


def spread(mean, sd=0.002, seed=0):
    return list(mean + sd * np.random.default_rng(seed).standard_normal(8))


def one_pair(scores, **keys):
    found = compare(study(tuple(scores), **keys), runs(scores))
    return found.tasks["toy"].pairs[0], found


def test_a_planted_difference_is_found():
    pair, found = one_pair({"lstm": spread(0.90, seed=1), "gru": spread(0.92, seed=2)})
    assert pair.verdict == "gru"
    assert pair.primary
    assert pair.p_value == pair.p_value_holm == 2 / 2**8
    assert pair.p_superiority == 1.0
    assert pair.ci[0] < pair.difference < pair.ci[1]
    assert pair.seeds_needed is None
    variant = found.tasks["toy"].variants["gru"]
    assert variant.generalisation_gap == pytest.approx(0.01)
    assert variant.latency_ms is None
    assert {claim.verdict for claim in found.claims} == {"not tested"}


def test_twins_are_equivalent():
    same = spread(0.9)
    pair, _ = one_pair({"lstm": same, "gru": list(same)})
    assert pair.verdict == "equivalent"
    assert pair.p_value == 1.0


def test_noise_is_undecided_and_says_how_many_seeds_are_missing():
    pair, _ = one_pair({"lstm": spread(0.9, 0.02, 1), "gru": spread(0.9, 0.02, 2)})
    assert pair.verdict == "undecided"
    assert pair.seeds_needed > 50


def test_holm_runs_over_the_primary_pairs_of_all_tasks_only():
    tasks = ("one", "two", "three")
    scores = {
        "lstm": spread(0.90, seed=1),
        "gru": spread(0.91, seed=2),
        "rnn": spread(0.8, seed=3),
    }
    many = study(tuple(scores), tasks)
    found = compare(many, [r for task in tasks for r in runs(scores, task)])
    assert found.primary_tests == 3
    for task in tasks:
        primary, *secondary = found.tasks[task].pairs
        assert (primary.a, primary.b) == ("gru", "lstm")
        assert primary.p_value_holm == pytest.approx(3 * primary.p_value)
        assert [p.p_value_holm for p in secondary] == [None, None]
        assert {p.verdict for p in secondary} == {"lstm", "gru"}


def test_too_few_seeds_for_any_significance_is_said():
    scores = {"lstm": [0.9] * 5, "gru": [0.95] * 5}
    found = compare(study(seeds=5), runs(scores))
    assert "smallest possible p-value is 0.0625" in found.warnings[0]
    assert "6 seeds can" in found.warnings[0]
    assert compare(study(seeds=6), runs({v: s + s[:1] for v, s in scores.items()})).warnings == ()


def test_a_missing_seed_is_named_and_the_rest_still_compared():
    gru = spread(0.93, seed=2)
    gru[3] = None
    pair, found = one_pair({"lstm": spread(0.9, seed=1), "gru": gru})
    assert pair.seeds == (0, 1, 2, 4, 5, 6, 7)
    assert pair.verdict == "gru"
    assert found.tasks["toy"].warnings == (
        "toy/gru: no usable run for seed 3; its pairs rest on the other 7 of 8 seeds.",
    )


def test_nan_metrics_are_left_out_and_named():
    gru = spread(0.93, seed=2)
    gru[0] = math.nan
    pair, found = one_pair({"lstm": spread(0.9, seed=1), "gru": gru})
    assert 0 not in pair.seeds
    assert any("toy/gru/seed-0" in w for w in found.tasks["toy"].warnings)


def test_one_seed_gets_no_p_value():
    pair, found = one_pair({"lstm": [0.9], "gru": [0.99]}, seeds=1)
    assert pair.p_value is pair.p_value_holm is pair.ci is pair.seeds_needed is None
    assert pair.verdict == "undecided"
    assert pair.difference == pytest.approx(0.09)
    assert any("a test needs two" in w for w in found.tasks["toy"].warnings)


def test_seeds_that_never_meet_are_not_compared():
    pair, _ = one_pair({"lstm": [0.9, None], "gru": [None, 0.9]}, seeds=2)
    assert pair.difference is None
    assert pair.verdict == "undecided"


def test_runs_outside_the_study_are_ignored():
    inside = runs({"lstm": spread(0.9), "gru": spread(0.9, seed=2)})
    outside = [record("toy", "old", 0, 0.1), record("gone", "gru", 0, 0.1)]
    outside.append(record("toy", "gru", 99, 0.1))
    declared = study(("lstm", "gru"))
    assert compare(declared, inside) == compare(declared, inside + outside)


def test_no_run_at_all_is_an_error():
    with pytest.raises(GatewiseError, match="no finished run"):
        compare(study(), [])


def test_costs_are_taken_over():
    cost = cost_report(gru=variant_cost(1.0))
    scores = {"lstm": spread(0.9), "gru": spread(0.9, seed=2)}
    found = compare(study(), runs(scores), {"toy": cost}).tasks["toy"]
    assert found.variants["gru"].latency_ms == 1.5
    assert found.variants["gru"].timings["inference_ms_batch_1"].q3 == 1.75
    assert found.variants["gru"].timings["streaming_step_ms"] is None
    assert [pair.step_time for pair in found.pairs] == [None]
    assert found.variants["gru"].train_seconds_per_epoch == 2.5
    assert found.variants["lstm"].peak_memory_mb is None
    assert found.cost_device == "cpu (some processor)"


def test_steps_are_compared_round_by_round():
    # The machine slows down from round to round; the GRU takes 0.8 to 0.9 of the LSTM throughout.
    lstm = [float(2**k) for k in range(9)]
    gru = [step * (0.8 + 0.0125 * k) for k, step in enumerate(lstm)]
    scores = {"lstm": spread(0.9), "gru": spread(0.9, seed=2)}
    for n in (9, 5):
        cost = cost_report(lstm=variant_cost(*lstm[:n]), gru=variant_cost(*gru[:n]))
        (pair,) = compare(study(), runs(scores), {"toy": cost}).tasks["toy"].pairs
        assert (pair.a, pair.b) == ("gru", "lstm")
        ratios = [0.8 + 0.0125 * k for k in range(n)]
        assert pair.step_time.ratio == pytest.approx(ratios[n // 2])
        # The second lowest to the second highest of nine; five are too few for 95 %.
        bounds = pytest.approx((ratios[1], ratios[-2])) if n == 9 else None
        assert pair.step_time.ci == bounds


def test_the_comparison_is_read_as_it_was_written(tmp_path):
    _, found = one_pair({"lstm": spread(0.9), "gru": spread(0.9, seed=2)})
    found.write(tmp_path / "comparison.json")
    assert Comparison.read(tmp_path / "comparison.json") == found


@pytest.mark.parametrize("metric", ["log_loss", "balanced_accuracy"])
def test_verdicts_name_the_better_one_whichever_way_the_metric_goes(metric):
    declared = study(("lstm", "gru", "rnn"), metric=metric)
    scores = {
        "lstm": spread(0.70, seed=1),
        "gru": spread(0.72, seed=2),
        "rnn": spread(0.60, seed=3),
    }
    found = compare(declared, runs(scores))
    task = found.tasks["toy"]
    lower = metric == "log_loss"
    assert task.metric.direction == ("lower" if lower else "higher")
    assert [pair.verdict for pair in task.pairs] == ["gru", "lstm", "gru"]
    first = task.pairs[0]
    assert first.difference == pytest.approx(-0.02 if lower else 0.02, abs=0.003)
    assert first.p_superiority == 1.0
    assert first.p_superiority_ci[0] > 0.5
    assert first.almost_stochastic_order["gru"] == 0.0
    assert first.almost_stochastic_order["lstm"] == 1.0
    assert task.leader == "gru"
    assert found.across.average_ranks == {"gru": 1.0, "lstm": 2.0, "rnn": 3.0}


def test_rounds_stop_at_the_better_one_where_lower_is_better():
    looks = {"seeds": {"first": 8, "step": 4, "cap": 16}}
    declared = study(metric="log_loss", **looks)
    found = compare(declared, runs({"lstm": spread(0.90, seed=1), "gru": spread(0.93, seed=2)}))
    (pair,) = found.tasks["toy"].pairs
    assert (pair.verdict, pair.decided_at) == ("gru", 8)
    assert allocation.more_seeds(found) == {}


def test_runs_of_different_instructions_are_no_pairs(tmp_path):
    scores = {"lstm": [0.9, 0.9], "gru": [0.9, 0.9]}
    for one in runs(scores):
        kind = "native" if one.name == "toy/gru/seed-1" else "portable"
        write_run(tmp_path, one.model_copy(update={"instructions": kind}))
    with pytest.raises(GatewiseError, match=r"gru/seed-1 is native, toy/.* is portable\), so"):
        comparison.gather(study(tuple(scores), seeds=2), tmp_path)


def test_a_diverged_variant_is_named_and_the_others_are_compared(tmp_path):
    scores = {"lstm": [0.9, 0.91], "gru": [0.8, 0.81], "rnn": [0.5]}
    for one in runs(scores):
        write_run(tmp_path, one)
    write_json(tmp_path / "runs/toy/rnn/diverged.json", {"1": "its loss ended at 4e+29"})
    write_json(tmp_path / "runs/toy/fgr/diverged.json", {"0": "loss nan", "1": "loss nan"})
    declared = study((*scores, "fgr"), seeds=2)
    evidence = comparison.gather(declared, tmp_path)
    task = comparison.compare(declared, evidence).tasks["toy"]
    assert set(task.variants) == set(scores)
    said = " ".join(task.warnings)
    assert "toy/rnn: diverged with seed 1 (its loss ended at 4e+29); its score leaves" in said
    assert "toy/fgr: diverged with seed 0, 1 (loss nan)." in said
    assert "toy/fgr: no usable run at all; it is left out." in said
