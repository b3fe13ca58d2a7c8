import math

import numpy as np
import pytest

from gatewise.errors import GatewiseError
from gatewise.evidence import comparison
from gatewise.evidence.task_evidence import TaskEvidence
from gatewise.files import write_json
from tests.evidence_runs import record, study

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
        task: TaskEvidence([r for r in records if r.task == task], cost=(costs or {}).get(task, {}))
        for task in study.tasks
    }
    return comparison.compare(study, evidence)


def spread(mean, sd=0.002, seed=0):
    return list(mean + sd * np.random.default_rng(seed).standard_normal(8))


def one_pair(scores, **keys):
    found = compare(study(tuple(scores), **keys), runs(scores))
    return found["tasks"]["toy"]["pairs"][0], found


@pytest.mark.parametrize(
    ("difference", "p", "p_equivalence", "verdict"),
    [
        (0.02, 0.01, 0.9, "a"),
        (-0.02, 0.01, 0.9, "b"),
        (0.001, 0.01, 0.01, "equivalent"),
        (0.001, 0.9, 0.05, "equivalent"),
        (0.02, 0.06, 0.9, "undecided"),
        (0.02, None, None, "undecided"),
    ],
)
def test_the_verdict_rule(difference, p, p_equivalence, verdict):
    assert comparison.decide(difference, p, p_equivalence, alpha=0.05) == verdict


def test_a_planted_difference_is_found_and_has_the_contracts_keys():
    pair, found = one_pair({"lstm": spread(0.90, seed=1), "gru": spread(0.92, seed=2)})
    assert pair["verdict"] == "gru"
    assert pair["primary"]
    assert pair["p_value"] == pair["p_value_holm"] == 2 / 2**8
    assert pair["p_superiority"] == 1.0
    assert pair["ci"][0] < pair["difference"] < pair["ci"][1]
    assert pair["seeds_needed"] is None
    assert {"a", "b", "difference", "ci", "p_value", "p_value_holm", "p_superiority", "rope"} <= {
        *pair
    }
    variant = found["tasks"]["toy"]["variants"]["gru"]
    assert {
        "mean", "std", "ci", "values", "parameters", "macs_per_step", "train_seconds_per_epoch",
        "peak_memory_mb", "latency_ms", "generalisation_gap",
    } <= {*variant}  # fmt: skip
    assert variant["generalisation_gap"] == pytest.approx(0.01)
    assert variant["latency_ms"] is None
    assert {claim["verdict"] for claim in found["claims"]} == {"not tested"}


def test_twins_are_equivalent():
    same = spread(0.9)
    pair, _ = one_pair({"lstm": same, "gru": list(same)})
    assert pair["verdict"] == "equivalent"
    assert pair["p_value"] == 1.0


def test_noise_is_undecided_and_says_how_many_seeds_are_missing():
    pair, _ = one_pair({"lstm": spread(0.9, 0.02, 1), "gru": spread(0.9, 0.02, 2)})
    assert pair["verdict"] == "undecided"
    assert pair["seeds_needed"] > 50


def test_holm_runs_over_the_primary_pairs_of_all_tasks_only():
    tasks = ("one", "two", "three")
    scores = {
        "lstm": spread(0.90, seed=1),
        "gru": spread(0.91, seed=2),
        "rnn": spread(0.8, seed=3),
    }
    many = study(tuple(scores), tasks)
    found = compare(many, [r for task in tasks for r in runs(scores, task)])
    assert found["primary_tests"] == 3
    for task in tasks:
        primary, *secondary = found["tasks"][task]["pairs"]
        assert (primary["a"], primary["b"]) == ("gru", "lstm")
        assert primary["p_value_holm"] == pytest.approx(3 * primary["p_value"])
        assert [p["p_value_holm"] for p in secondary] == [None, None]
        assert {p["verdict"] for p in secondary} == {"lstm", "gru"}


def test_too_few_seeds_for_any_significance_is_said():
    scores = {"lstm": [0.9] * 5, "gru": [0.95] * 5}
    found = compare(study(seeds=5), runs(scores))
    assert "smallest possible p-value is 0.0625" in found["warnings"][0]
    assert "6 seeds can" in found["warnings"][0]
    assert (
        compare(study(seeds=6), runs({v: s + s[:1] for v, s in scores.items()}))["warnings"] == []
    )


def test_a_missing_seed_is_named_and_the_rest_still_compared():
    gru = spread(0.93, seed=2)
    gru[3] = None
    pair, found = one_pair({"lstm": spread(0.9, seed=1), "gru": gru})
    assert pair["seeds"] == [0, 1, 2, 4, 5, 6, 7]
    assert pair["verdict"] == "gru"
    assert found["tasks"]["toy"]["warnings"] == [
        "toy/gru: no usable run for seed 3; its pairs rest on the other 7 of 8 seeds."
    ]


def test_nan_metrics_are_left_out_and_named():
    gru = spread(0.93, seed=2)
    gru[0] = math.nan
    pair, found = one_pair({"lstm": spread(0.9, seed=1), "gru": gru})
    assert 0 not in pair["seeds"]
    assert any("toy/gru/seed-0" in w for w in found["tasks"]["toy"]["warnings"])


def test_one_seed_gets_no_p_value():
    pair, found = one_pair({"lstm": [0.9], "gru": [0.99]}, seeds=1)
    assert pair["p_value"] is pair["p_value_holm"] is pair["ci"] is pair["seeds_needed"] is None
    assert pair["verdict"] == "undecided"
    assert pair["difference"] == pytest.approx(0.09)
    assert any("a test needs two" in w for w in found["tasks"]["toy"]["warnings"])


def test_seeds_that_never_meet_are_not_compared():
    pair, _ = one_pair({"lstm": [0.9, None], "gru": [None, 0.9]}, seeds=2)
    assert pair["difference"] is None
    assert pair["verdict"] == "undecided"


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
    cost = {
        "device": "cpu, 1 thread",
        "variants": {
            "gru": {
                "inference_ms_batch_1": {"median": 1.5, "q1": 1, "q3": 2, "rounds": [1, 1.5, 2]},
                "train_seconds_per_epoch": 2.5,
                "peak_memory_mb": 300.0,
            }
        },
    }
    scores = {"lstm": spread(0.9), "gru": spread(0.9, seed=2)}
    found = compare(study(), runs(scores), {"toy": cost})["tasks"]["toy"]
    assert found["variants"]["gru"]["latency_ms"] == 1.5
    assert found["variants"]["gru"]["timings"] == {
        "inference_ms_batch_1": {"median": 1.5, "q1": 1, "q3": 2}
    }
    assert [pair["step_time"] for pair in found["pairs"]] == [None]
    assert found["variants"]["gru"]["train_seconds_per_epoch"] == 2.5
    assert found["variants"]["lstm"]["peak_memory_mb"] is None


def test_steps_are_compared_round_by_round():
    def timing(rounds):
        return {"train_step_ms": {"median": 0.0, "q1": 0.0, "q3": 0.0, "rounds": rounds}}

    # The machine slows down from round to round; the GRU takes 0.8 to 0.9 of the LSTM throughout.
    lstm = [float(2**k) for k in range(9)]
    gru = [step * (0.8 + 0.0125 * k) for k, step in enumerate(lstm)]
    scores = {"lstm": spread(0.9), "gru": spread(0.9, seed=2)}
    for n in (9, 5):
        cost = {"variants": {"lstm": timing(lstm[:n]), "gru": timing(gru[:n])}}
        (pair,) = compare(study(), runs(scores), {"toy": cost})["tasks"]["toy"]["pairs"]
        assert (pair["a"], pair["b"]) == ("gru", "lstm")
        ratios = [0.8 + 0.0125 * k for k in range(n)]
        assert pair["step_time"]["ratio"] == pytest.approx(ratios[n // 2])
        # The second lowest to the second highest of nine; five are too few for 95 %.
        bounds = pytest.approx([ratios[1], ratios[-2]]) if n == 9 else None
        assert pair["step_time"]["ci"] == bounds


def test_the_comparison_is_plain_json(tmp_path):
    _, found = one_pair({"lstm": spread(0.9), "gru": spread(0.9, seed=2)})
    write_json(tmp_path / "comparison.json", found)
