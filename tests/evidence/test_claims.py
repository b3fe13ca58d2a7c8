import pytest

from gatewise.evidence import claims

SEEDS = list(range(8))


def variant(cell, hidden=64, gap=0.1, **changes):
    size = {"rnn": 1, "gru": 3, "lstm": 4}[cell] * hidden * hidden
    gates = {"rnn": [], "gru": ["r", "z"], "lstm": ["i", "f", "o"]}[cell]
    return {
        "cell": cell,
        "hidden": hidden,
        "recurrent_parameters": size,
        "macs_per_step": size,
        "structure": {"gates": gates, "states": ["h", "c"] if cell == "lstm" else ["h"]},
        "epochs_to_target": [3] * 8,
        "seeds": SEEDS,
        "gaps": [gap + 0.001 * s for s in SEEDS],
        **changes,
    }


def pair(verdict, difference=0.01, step=(0.8, 0.9)):
    return {
        "step_time": {"ratio": sum(step) / 2, "ci": list(step)} if step else None,
        "a": "gru", "b": "lstm", "primary": True, "difference": difference,
        "ci": [difference - 0.005, difference + 0.005], "verdict": verdict,
    }  # fmt: skip


def study(verdicts=("gru", "lstm"), step=(0.8, 0.9), **changes):
    kinds = ["synthetic-commands", "reviews"]
    return {
        "alpha": 0.05,
        "study": {"tasks": {k: {"source": {"kind": k}} for k in kinds}},
        "tasks": {
            kind: {
                "synthetic": kind != "reviews",
                "train_fraction": 1.0,
                "variants": {
                    "rnn": variant("rnn"),
                    "lstm": variant("lstm"),
                    "gru-wide": variant("gru", 74),
                    "gru": variant("gru", **changes),
                },
                "pairs": [pair(verdict, step=step)],
            }
            for kind, verdict in zip(kinds, verdicts, strict=True)
        },
    }


def probes(longest, half_lives):
    """`longest` and `half_lives` by variant."""
    return {
        "settings": {"gradient_length": 100},
        "variants": {
            v: {
                "probes": {
                    problem: {
                        "lengths": [{"length": 10}],
                        "longest_solved": longest[v] or None,
                        "longest_by_seed": [longest[v]] * 3,
                    }
                    for problem in ("adding", "copy")
                },
                "gradient": {
                    when: {"half_lives": [half_lives[v]] * 3} for when in ("initial", "trained")
                },
            }
            for v in longest
        },
    }


def verdicts(comparison, found=None):
    return {claim["id"]: claim["verdict"] for claim in claims.judge(comparison, found or {})}


def test_the_textbook_where_it_is_right():
    found = probes({"lstm": 60, "gru": 60, "rnn": 0}, {"lstm": None, "gru": 5.0, "rnn": 0.5})
    said = verdicts(study(gap=0.05), found)
    assert said == {
        "gates": "supported",
        "fewer-parameters": "supported",
        "fewer-macs": "supported",
        "faster-step": "supported",
        "faster-to-target": "supported",
        "overfits-less": "supported",
        "lstm-longer": "inconclusive",
        "gates-longer": "supported",
        "gradients-alive": "supported",
        "sentiment": "supported",
        "speech-commands": "supported",
        "depends-on-task": "supported",
        "translation": "not tested",
        "captioning": "not tested",
    }


def test_the_textbook_where_it_is_wrong():
    found = probes({"lstm": 10, "gru": 60, "rnn": 60}, {"lstm": 1.0, "gru": 1.0, "rnn": 9.0})
    said = verdicts(study(("lstm", "lstm"), gap=0.2, step=(1.2, 1.4)), found)
    assert said["faster-step"] == said["faster-to-target"] == "refuted"
    assert said["overfits-less"] == said["lstm-longer"] == said["gradients-alive"] == "refuted"
    assert said["speech-commands"] == "refuted"
    assert said["depends-on-task"] == "refuted"


@pytest.mark.parametrize(
    ("step", "verdict"),
    [((0.7, 0.8), "supported"), ((0.9, 1.1), "inconclusive"), ((1.25, 1.3), "refuted")],
)
def test_the_time_of_a_step_whichever_way_round_the_pair_stands(step, verdict):
    straight, turned = study(step=step), study(step=[1 / bound for bound in step[::-1]])
    for task in turned["tasks"].values():
        task["pairs"] = [{**pair, "a": "lstm", "b": "gru"} for pair in task["pairs"]]
    for comparison in (straight, turned):
        found = next(c for c in claims.judge(comparison, {}) if c["id"] == "faster-step")
        assert found["verdict"] == verdict
        for finding in found["evidence"]["findings"]:
            assert finding["interval"] == pytest.approx(step)
    few = study()
    for task in few["tasks"].values():
        task["pairs"][0]["step_time"]["ci"] = None
    for claim in ("faster-step", "faster-to-target"):
        assert verdicts(few)[claim] == "inconclusive"
        assert verdicts(study(step=None))[claim] == "not tested"


@pytest.mark.parametrize(
    ("step", "epochs", "verdict", "bounds"),
    [
        ((0.7, 0.8), [3] * 8, "supported", (0.7, 0.8)),
        # As many epochs on every seed say nothing where the step's own time is not decided.
        ((0.99, 1.02), [3] * 8, "inconclusive", (0.99, 1.02)),
        ((1.1, 1.2), [3] * 8, "refuted", (1.1, 1.2)),
        # Half the epochs make up for a slower step.
        ((1.1, 1.2), [2] * 4 + [1] * 4, "supported", None),
        ((0.7, 0.8), [6] * 8, "refuted", (1.4, 1.6)),
        ((0.7, 0.8), [2, 5] * 4, "inconclusive", None),
        ((0.7, 0.8), [3] * 7 + [None], "inconclusive", None),
    ],
)
def test_the_time_to_a_target_is_epochs_by_seed_times_the_step(step, epochs, verdict, bounds):
    comparison = study(step=step, epochs_to_target=epochs)
    found = next(c for c in claims.judge(comparison, {}) if c["id"] == "faster-to-target")
    assert found["verdict"] == verdict
    if bounds:
        assert found["evidence"]["findings"][0]["interval"] == pytest.approx(bounds)


@pytest.mark.parametrize(
    ("lstm", "gru", "verdict"),
    [
        (60, 60, "supported"),
        (60, 20, "inconclusive"),
        (20, 60, "inconclusive"),
        (60, 10, "refuted"),
    ],
)
def test_what_is_said_of_both_has_to_hold_for_both(lstm, gru, verdict):
    found = probes({"lstm": lstm, "gru": gru, "rnn": 20}, dict.fromkeys(("lstm", "gru", "rnn"), 1))
    assert verdicts(study(), found)["gates-longer"] == verdict
    del found["variants"]["gru"]
    assert verdicts(study(), found)["gates-longer"] == "not tested"


def test_one_seed_tells_no_time_to_a_target():
    lone = study(epochs_to_target=[3])
    for task in lone["tasks"].values():
        task["variants"]["lstm"]["epochs_to_target"] = [3]
    found = next(c for c in claims.judge(lone, {}) if c["id"] == "faster-to-target")
    assert found["verdict"] == "inconclusive"
    assert found["evidence"]["findings"][0]["interval"] is None


def test_tasks_that_disagree_leave_a_claim_open():
    disagreeing = study()
    disagreeing["tasks"]["reviews"]["variants"]["gru"]["gaps"] = [0.5] * 8
    disagreeing["tasks"]["synthetic-commands"]["variants"]["gru"]["gaps"] = [0.0] * 8
    assert verdicts(disagreeing)["overfits-less"] == "inconclusive"


def test_equivalence_refutes_that_one_is_better():
    said = verdicts(study(("equivalent", "undecided")))
    assert said["speech-commands"] == "refuted"
    assert said["sentiment"] == "inconclusive"
    assert said["depends-on-task"] == "inconclusive"


def test_nothing_measured_is_not_tested():
    bare = study()
    for task in bare["tasks"].values():
        del task["variants"]["gru"], task["variants"]["gru-wide"]
        task["pairs"] = []
    assert set(verdicts(bare).values()) == {"not tested"}


def test_an_unreached_target_is_said():
    open_ended = study(epochs_to_target=[3] * 7 + [None])
    entry = next(c for c in claims.judge(open_ended, {}) if c["id"] == "faster-to-target")
    assert entry["verdict"] == "inconclusive"
    assert "1 runs never reached" in entry["evidence"]["sentence"]


def test_effects_and_intervals_point_the_claims_way():
    by_id = {c["id"]: c["evidence"] for c in claims.judge(study(), {})}
    (sentiment,) = by_id["sentiment"]["findings"]
    assert sentiment["effect"] == pytest.approx(-1.0)  # lstm minus gru, in points
    assert sentiment["interval"] == pytest.approx([-1.5, -0.5])
    assert sentiment["link"] == "chart-reviews--forest-primary"


def test_the_gru_of_the_lstms_width_stands_for_it():
    assert claims.representatives(study()["tasks"]) == claims.Names("lstm", "gru", "rnn")
