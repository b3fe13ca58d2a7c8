import pytest

from gatewise.artifacts.comparison import Ratio
from gatewise.artifacts.costs import Structure
from gatewise.evidence import claims, findings
from tests.evidence_runs import pair as made_pair
from tests.evidence_runs import summary, task_comparison, whole_comparison
from tests.probe_reports import holding, problem, report, runs

SEEDS = list(range(8))
KINDS = {"synthetic-commands": "speech", "reviews": "sentiment"}


def variant(cell, hidden=64, gap=0.1, **changes):
    size = {"rnn": 1, "gru": 3, "lstm": 4}[cell] * hidden * hidden
    gates = {"rnn": [], "gru": ["r", "z"], "lstm": ["i", "f", "o"]}[cell]
    fields = {
        "cell": cell,
        "hidden": hidden,
        "recurrent_parameters": size,
        "macs_per_step": size,
        "structure": Structure(gates=gates, states=["h", "c"] if cell == "lstm" else ["h"]),
        "epochs_to_target": [3] * 8,
        "gaps": [gap + 0.001 * s for s in SEEDS],
    }
    return summary(*[0.9] * 8, **{**fields, **changes})


def pair(verdict, difference=0.01, step=(0.8, 0.9)):
    timed = {"ratio": sum(step) / 2, "ci": step} if step else None
    ci = (difference - 0.005, difference + 0.005)
    return made_pair("gru", "lstm", verdict, difference=difference, ci=ci, step_time=timed)


def study(verdicts=("gru", "lstm"), step=(0.8, 0.9), difference=0.01, metric="accuracy", **changes):
    return whole_comparison(
        {
            kind: task_comparison(
                {
                    "rnn": variant("rnn"),
                    "lstm": variant("lstm"),
                    "gru-wide": variant("gru", 74),
                    "gru": variant("gru", **changes),
                },
                pair(verdict, difference, step),
                metric=metric,
                source=kind,
                work=work,
                synthetic=kind != "reviews",
            )
            for (kind, work), verdict in zip(KINDS.items(), verdicts, strict=True)
        }
    )


def with_tasks(comparison, **changes):
    """The comparison with these fields of every task changed, each made by a function of it."""
    tasks = {
        name: task.model_copy(update={field: make(task) for field, make in changes.items()})
        for name, task in comparison.tasks.items()
    }
    return comparison.model_copy(update={"tasks": tasks})


def with_variants(**changes):
    """What gives a task's variants with these fields changed, `{variant: {field: value}}`."""

    def make(task):
        changed = {v: task.variants[v].model_copy(update=fields) for v, fields in changes.items()}
        return {**task.variants, **changed}

    return make


def with_pairs(**changes):
    """What gives a task's pairs with these fields changed."""
    return lambda task: tuple(pair.model_copy(update=changes) for pair in task.pairs)


def probes(**longest):
    """Every seed of a variant holds so many steps."""
    return {variant: holding(steps) for variant, steps in longest.items()}


def verdicts(comparison, found=None):
    return {claim.id: claim.verdict for claim in claims.judge(comparison, found or {})}


def claim(comparison, name):
    return next(c for c in claims.judge(comparison, {}) if c.id == name)


def test_the_textbook_where_it_is_right():
    found = probes(lstm=100, gru=100, rnn=0)
    said = verdicts(study(gap=0.05), found)
    assert said == {
        "gates": "supported",
        "fewer-parameters": "supported",
        "fewer-macs": "supported",
        "faster-step": "supported",
        "faster-to-target": "supported",
        "overfits-less": "supported",
        "vanishing": "supported",
        "gradients-alive": "supported",
        "gates-longer": "supported",
        "lstm-longer": "inconclusive",
        "lstm-learns-sooner": "inconclusive",
        "lstm-counts": "not tested",
        "forget-bias-helps": "not tested",
        "forget-bias-closes-gap": "not tested",
        "chrono-helps": "not tested",
        "gates-better": "not tested",
        "sentiment": "supported",
        "translation": "not tested",
        "speech": "supported",
        "captioning": "not tested",
        "depends-on-task": "supported",
    }


def test_the_textbook_where_it_is_wrong():
    found = probes(lstm=50, gru=100, rnn=100)
    said = verdicts(study(("lstm", "lstm"), gap=0.2, step=(1.2, 1.4)), found)
    assert said["faster-step"] == said["faster-to-target"] == "refuted"
    assert said["overfits-less"] == said["lstm-longer"] == said["gates-longer"] == "refuted"
    assert said["vanishing"] == "refuted"
    assert said["speech"] == "refuted"
    assert said["depends-on-task"] == "refuted"


def test_every_claim_says_what_was_measured_and_what_would_change_it():
    for one in claims.judge(study(), probes(lstm=100, gru=100, rnn=0)):
        assert one.statement.endswith(".")
        assert all((one.source, one.measured, one.would_change))
        assert (one.scope == "") == (one.said == one.verdict)


def test_a_verdict_says_how_many_tasks_bear_it_out():
    both = study(gap=0.05)
    assert claim(both, "overfits-less").said == "supported (2 of 2 tasks)"
    scattered = with_tasks(
        both,
        variants=lambda task: (
            task.variants
            if task.source == "reviews"
            else with_variants(gru={"gaps": (0.05, 0.5) * 4})(task)
        ),
    )
    assert claim(scattered, "overfits-less").said == "supported (1 of 2 tasks)"
    contrary = with_tasks(
        both,
        variants=lambda task: with_variants(
            gru={"gaps": (0.5 if task.source == "reviews" else 0.0,) * 8}
        )(task),
    )
    assert claim(contrary, "overfits-less").said == "inconclusive (1 for, 1 against, of 2 tasks)"


def test_a_claim_about_time_names_the_device_and_what_the_arithmetic_says():
    timed = with_tasks(study(step=(1.2, 1.3)), cost_device=lambda _: "cpu (Some Processor)")
    timed = timed.model_copy(update={"versions": {"instructions": ("portable",)}})
    found = claim(timed, "faster-step")
    assert found.verdict == "refuted"
    assert "on cpu (Some Processor)." in found.evidence.sentence
    assert "The multiply-accumulates say the opposite (0.75)." in found.evidence.sentence
    assert "held to AVX2 (portable)" in found.measured
    assert "opposite" not in claim(study(step=(0.7, 0.8)), "faster-step").evidence.sentence


def test_an_architecture_is_judged_at_its_starts():
    adding = {"adding": problem("adding", [50] * 4)}
    slow, quick = runs((500, 510, 520, 530)), runs((100, 105, 110, 115))
    found = {
        "lstm": report(adding, {"torch": slow, "forget-bias": quick, "chrono": quick}),
        "gru": report(adding, {"torch": slow, "forget-bias": quick, "chrono": quick}),
    }
    said = verdicts(study(), found)
    assert said["forget-bias-helps"] == said["forget-bias-closes-gap"] == "supported"
    assert said["chrono-helps"] == "supported"
    found["gru"] = report(adding, {"torch": quick, "chrono": slow})
    said = verdicts(study(), found)
    assert said["forget-bias-closes-gap"] == "inconclusive"  # no difference shown
    assert said["chrono-helps"] == "refuted"


@pytest.mark.parametrize(
    ("step", "verdict"),
    [((0.7, 0.8), "supported"), ((0.9, 1.1), "inconclusive"), ((1.25, 1.3), "refuted")],
)
def test_the_time_of_a_step_whichever_way_round_the_pair_stands(step, verdict):
    straight, turned = study(step=step), study(step=[1 / bound for bound in step[::-1]])
    turned = with_tasks(turned, pairs=with_pairs(a="lstm", b="gru"))
    for comparison in (straight, turned):
        found = claim(comparison, "faster-step")
        assert found.verdict == verdict
        for finding in found.evidence.findings:
            assert finding.interval == pytest.approx(step)
    few = with_tasks(study(), pairs=with_pairs(step_time=Ratio(ratio=0.85, ci=None)))
    for name in ("faster-step", "faster-to-target"):
        assert verdicts(few)[name] == "inconclusive"
        assert verdicts(study(step=None))[name] == "not tested"


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
    found = claim(study(step=step, epochs_to_target=epochs), "faster-to-target")
    assert found.verdict == verdict
    if bounds:
        assert found.evidence.findings[0].interval == pytest.approx(bounds)


@pytest.mark.parametrize(
    ("lstm", "gru", "verdict"),
    [
        (100, 100, "supported"),
        (100, 50, "inconclusive"),
        (50, 100, "inconclusive"),
        (100, 0, "refuted"),
    ],
)
def test_what_is_said_of_both_has_to_hold_for_both(lstm, gru, verdict):
    found = probes(lstm=lstm, gru=gru, rnn=50)
    if verdict == "refuted":
        found["lstm"] = holding(100)
    assert verdicts(study(), found)["gates-longer"] == verdict
    del found["gru"]
    assert verdicts(study(), found)["gates-longer"] == "not tested"


def test_one_seed_tells_no_time_to_a_target():
    one = {"epochs_to_target": (3,)}
    found = claim(
        with_tasks(study(), variants=with_variants(lstm=one, gru=one)), "faster-to-target"
    )
    assert found.verdict == "inconclusive"
    assert found.evidence.findings[0].interval is None


def test_tasks_that_disagree_leave_a_claim_open():
    gaps = {"reviews": (0.5,) * 8, "synthetic-commands": (0.0,) * 8}
    disagreeing = with_tasks(
        study(), variants=lambda task: with_variants(gru={"gaps": gaps[task.source]})(task)
    )
    assert verdicts(disagreeing)["overfits-less"] == "inconclusive"


def test_equivalence_refutes_that_one_is_better():
    said = verdicts(study(("equivalent", "undecided")))
    assert said["speech"] == "refuted"
    assert said["sentiment"] == "inconclusive"
    assert said["depends-on-task"] == "inconclusive"


@pytest.mark.parametrize(
    ("verdicts_of_pair", "verdict"),
    [
        (("gru", "lstm"), "supported"),
        (("gru", "gru"), "refuted"),
        (("gru", "equivalent"), "refuted"),  # a GRU can be taken for both
        (("equivalent", "equivalent"), "refuted"),
        (("gru", "undecided"), "inconclusive"),
    ],
)
def test_the_choice_depends_on_the_task_where_each_wins_somewhere(verdicts_of_pair, verdict):
    assert verdicts(study(verdicts_of_pair))["depends-on-task"] == verdict


def test_nothing_measured_is_not_tested():
    def without_gru(task):
        return {v: s for v, s in task.variants.items() if not v.startswith("gru")}

    bare = with_tasks(study(), variants=without_gru, pairs=lambda _: ())
    assert set(verdicts(bare).values()) == {"not tested"}


def test_an_unreached_target_is_said():
    entry = claim(study(epochs_to_target=[3] * 7 + [None]), "faster-to-target")
    assert entry.verdict == "inconclusive"
    assert "1 runs never reached" in entry.evidence.sentence
    missing = claim(study(epochs_to_target=[3] * 7), "faster-to-target")
    assert missing.verdict == "inconclusive"
    assert "a seed is missing" in missing.evidence.sentence


def test_effects_and_intervals_point_the_claims_way():
    (sentiment,) = claim(study(), "sentiment").evidence.findings
    assert sentiment.effect == pytest.approx(-1.0)  # lstm minus gru, in points
    assert sentiment.interval == pytest.approx((-1.5, -0.5))
    assert sentiment.link == "chart-reviews--forest-primary"


def test_claims_are_told_in_the_metrics_unit_and_go_its_way():
    # The GRU's loss is the lower one on both tasks, and rises less from training to test.
    study_of_losses = study(("gru", "gru"), difference=-0.01, metric="log_loss", gap=-0.05)
    losses = with_tasks(
        study_of_losses,
        variants=with_variants(lstm={"gaps": tuple(-0.2 - 0.001 * s for s in SEEDS)}),
    )
    commands = claim(losses, "speech")
    assert commands.verdict == "supported"
    assert "gru minus lstm is -0.0100 nats, gru" in commands.evidence.sentence
    assert claim(losses, "sentiment").verdict == "refuted"
    overfits = claim(losses, "overfits-less")
    assert overfits.verdict == "supported"
    assert overfits.evidence.findings[0].effect == pytest.approx(-0.157)
    assert "minus LSTM's -0.1570 nats (" in overfits.evidence.sentence


def of_work(*tasks):
    """A study of tasks, each a name, a kind of work, a metric, the pair's verdict, GRU - LSTM."""
    return whole_comparison(
        {
            name: task_comparison(
                {"lstm": variant("lstm"), "gru": variant("gru")},
                pair(verdict, difference),
                metric=metric,
                work=work,
            )
            for name, work, metric, verdict, difference in tasks
        }
    )


GIVEN = {"translation": "lstm", "sentiment": "lstm", "speech": "gru", "captioning": "gru"}
"""Which cell the text gives which work."""


@pytest.mark.parametrize(("work", "cell"), GIVEN.items())
def test_the_text_gives_a_kind_of_work_to_a_cell(work, cell):
    """Whatever the task is called and wherever its data come from."""
    other = {"lstm": "gru", "gru": "lstm"}[cell]
    said = {
        winner: verdicts(of_work(("mine", work, "accuracy", winner, 0.02)))
        for winner in (cell, other, "equivalent", "undecided")
    }
    assert said[cell][work] == "supported"
    assert said[other][work] == said["equivalent"][work] == "refuted"
    assert said["undecided"][work] == "inconclusive"
    # And nothing is said of any other work.
    assert {said[cell][name] for name in GIVEN if name != work} == {"not tested"}


def test_claims_count_tasks_of_their_work_whatever_their_metrics():
    found = of_work(
        ("strings", "speech", "symbol_error_rate", "gru", -0.02),  # fewer errors
        ("digits", "speech", "accuracy", "gru", 0.03),
        ("commands", "speech", "accuracy", "undecided", 0.001),
        ("tourism", "series", "mase", "lstm", 0.05),
        ("pixels", "other", "accuracy", "gru", 0.09),
    )
    speech = claim(found, "speech")
    assert speech.said == "supported (2 of 3 tasks)"
    assert [finding.where for finding in speech.evidence.findings] == [
        "strings",
        "digits",
        "commands",
    ]
    strings = speech.evidence.findings[0]
    assert strings.effect == pytest.approx(-2.0)  # gru minus lstm, as written, in points
    assert strings.interval == pytest.approx((-2.5, -1.5))
    assert claim(found, "depends-on-task").verdict == "supported"
    against = of_work(
        ("strings", "speech", "symbol_error_rate", "gru", -0.02),
        ("digits", "speech", "accuracy", "lstm", -0.03),
    )
    assert claim(against, "speech").said == "inconclusive (1 for, 1 against, of 2 tasks)"


def test_a_claim_without_a_task_says_how_to_get_one():
    translation = claim(of_work(("mine", "speech", "accuracy", "gru", 0.1)), "translation")
    assert translation.verdict == "not tested"
    assert "a task's `work`" in translation.would_change


def test_the_gru_of_the_lstms_width_stands_for_it():
    expected = findings.Representatives("lstm", "gru", "rnn")
    assert claims.representatives(study().tasks) == expected
