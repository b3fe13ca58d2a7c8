import math
import shutil
import sys

import pytest

torch = pytest.importorskip("torch")
from gatewise.artifacts.plan import ProbePlan  # noqa: E402
from gatewise.config import ProbeConfig, VariantConfig, parse  # noqa: E402
from gatewise.diagnostics.probes import grid, summary  # noqa: E402
from gatewise.diagnostics.probes.gradients import SMALLEST  # noqa: E402
from gatewise.diagnostics.probes.learning import Learnt  # noqa: E402
from gatewise.diagnostics.probes.work import Option, Result  # noqa: E402
from gatewise.errors import GatewiseError  # noqa: E402
from gatewise.evidence import survival  # noqa: E402
from gatewise.models.cells import base  # noqa: E402
from tests.diagnostics.probes.planted import STEPS, Window  # noqa: E402

NOTHING = {f"{name}_lengths": () for name in ("adding", "copy", "parity", "order", "counting")}
TINY = {
    **NOTHING,
    "adding_lengths": (2, 4),
    "copy_lengths": (1,),
    "updates": 3,
    "batch_size": 4,
    "gradient_length": 20,
    "gradient_reach": 10,
    "width": 4,
    "seeds": 2,
}


def plan(cell="gru", hidden=4, **settings):
    config = VariantConfig(cell=cell, hidden=hidden, **settings.pop("variant", {}))
    return ProbePlan(
        variant=cell,
        config=config,
        reference=None,
        probes=ProbeConfig(**{**NOTHING, "width": None, **settings}),
    )


@pytest.mark.skipif(sys.platform != "linux", reason="the planted cell reaches workers by fork")
def test_a_cell_that_remembers_so_many_steps_is_measured_as_such(monkeypatch):
    monkeypatch.setitem(base._FAMILY, "window", Window)
    # A symbol is asked for 4 steps more than there are blanks later; the present step counts.
    reach = STEPS - 1 - 4
    found = summary.report(
        plan(
            "window",
            6 * STEPS,
            copy_lengths=(reach - 1, reach, reach + 1, reach + 2),
            adding_lengths=(STEPS,),
            gradient_length=3 * STEPS,
            gradient_reach=2 * STEPS,
            updates=120,
            batch_size=8,
            learning_rates=(0.1,),
            seeds=2,
        ),
        workers=2,
    )
    copy = found.probes["copy"]
    assert copy.longest_by_seed == (reach, reach)
    assert copy.longest_solved == reach
    assert [one.length for one in copy.lengths] == [reach - 1, reach, reach + 1]
    assert {run.solved for run in copy.lengths[-1].runs} == {False}
    for decay in found.gradient.moments.values():
        assert min(decay.low[:STEPS]) > -6
        assert decay.high[STEPS:] == pytest.approx([math.log10(SMALLEST)] * 2 * STEPS)


def test_a_plain_rnn_loses_where_gates_win():
    """Fifty steps of the adding problem, at each one's best start, in seconds."""
    settings = {"adding_lengths": (50,), "learning_rates": (0.03,), "updates": 600, "seeds": 2}
    starts = {"rnn": ("torch",), "lstm": ("chrono",), "gru": ("chrono",)}
    found = {
        cell: summary.report(plan(cell, 32, starts=own, **settings), 2).probes["adding"]
        for cell, own in starts.items()
    }
    assert {cell: one.longest_by_seed for cell, one in found.items()} == {
        "rnn": (0, 0),
        "lstm": (50, 50),
        "gru": (50, 50),
    }
    assert found["rnn"].lengths[0].median is None
    assert found["lstm"].lengths[0].median < 600


@pytest.mark.weekly
@pytest.mark.slow
def test_counting_separates_lstm_from_gru():
    """As Weiss, Goldberg & Yahav found: what an LSTM learnt holds on longer strings."""
    lengths = ProbeConfig().counting_lengths
    settings = {"counting_lengths": lengths, "starts": ("chrono",), "learning_rates": (0.03,)}
    reach = {
        cell: summary.report(plan(cell, 64, **settings), workers=2).probes["counting"].reach_by_seed
        for cell in ("lstm", "gru")
    }
    assert len(reach["lstm"]) == ProbeConfig().counting_seeds
    assert min(reach["gru"]) >= lengths[0], "both learn the short ones"
    assert sum(reach["lstm"]) > sum(reach["gru"])
    assert survival.permuted(reach["lstm"], reach["gru"]) <= 0.05


class Seen(list):
    """Work in the order of its submission, and how urgent each piece was."""

    def __init__(self):
        super().__init__()
        self.urgency = []


def results(scores):
    """Stands for training: by (problem, length, start, rate), the updates that solve it or none."""

    def submit(work, urgency):
        from concurrent.futures import Future

        seen.append(work)
        seen.urgency.append(urgency)
        key = (work.problem, work.length, work.option.start, work.option.learning_rate)
        updates = scores.get(key)
        if isinstance(updates, tuple):  # one a measured seed, the choosing one's last
            updates = updates[work.seed]
        solved = updates is not None and updates <= (work.most or work.config.updates)
        learnt = Learnt(updates if solved else 9, 0.95 if solved else 0.2, solved, futile=False)
        future = Future()
        beyond = (learnt.score,) * len(work.config.lengths(work.problem))
        future.set_result(Result(learnt, beyond, (0.0,) * 20, (0.0,) * 20))
        return future

    seen = Seen()
    return submit, seen


def explore(scores, **settings):
    from concurrent.futures import ThreadPoolExecutor

    submit, seen = results(scores)
    with ThreadPoolExecutor() as waiting:
        return grid._Grid(plan("lstm", **settings), submit, waiting).run(), seen


BOTH = {"starts": ("torch", "keras"), "learning_rates": (0.01, 0.03), "seeds": 2}


def test_start_and_rate_are_chosen_by_a_seed_that_is_not_measured():
    scores = {
        ("adding", 50, "torch", 0.01): 300,
        ("adding", 50, "torch", 0.03): 400,
        ("adding", 50, "keras", 0.01): 200,
        ("adding", 50, "keras", 0.03): 100,
    }
    found, seen = explore(scores, adding_lengths=(50,), **BOTH)
    chosen = found.problems["adding"][0]
    assert chosen.option == Option("keras", 0.03)
    assert [one.option for one in found.starts] == [Option("torch", 0.01), Option("keras", 0.03)]
    assert {work.seed for work in seen if work.afterwards} == {0, 1}
    tried = [work for work in seen if work.seed == grid.CHOOSING]
    assert len(tried) == 4
    # The second rate need not go on longer than the first one took.
    assert {work.most for work in tried} == {None, 300, 200}


def test_other_lengths_and_problems_take_the_first_option_that_solves_them():
    scores = {("adding", 50, start, 0.01): 100 for start in BOTH["starts"]}
    scores |= {("adding", 100, "keras", 0.03): 500, ("copy", 20, "torch", 0.01): 50}
    found, _ = explore(scores, adding_lengths=(50, 100, 200), copy_lengths=(20, 40), **BOTH)
    short, long, unsolved = found.problems["adding"]
    assert short.option.learning_rate == 0.01
    assert long.option == Option("keras", 0.03)
    assert long.held
    assert not unsolved.held
    assert len(unsolved.tried) == 3, "all others fail, too, before a length counts as too long"
    assert [one.length for one in found.problems["copy"]] == [20, 40]
    assert [one.held for one in found.problems["copy"]] == [True, False]


def test_what_served_a_length_serves_the_next_without_a_choice():
    scores = {("adding", length, "keras", 0.01): 100 for length in (50, 100)}
    scores |= {("adding", 100, "torch", 0.01): 10}
    found, seen = explore(scores, adding_lengths=(50, 100), **BOTH)
    long = found.problems["adding"][1]
    assert long.option == Option("keras", 0.01)
    assert long.tried == ()
    assert {work.seed for work in seen if work.length == 100} == {0, 1}


def test_where_a_seed_fails_another_option_is_looked_for_and_the_better_stands():
    scores = {("adding", 50, "keras", 0.01): 100, ("adding", 100, "keras", 0.01): (100, None)}
    lengths = {"adding_lengths": (50, 100)}
    found, _ = explore(scores, **lengths, **BOTH)
    alone = found.problems["adding"][1]
    assert (alone.option, alone.solved, alone.held) == (Option("keras", 0.01), 1, True)
    assert len(alone.tried) == 3, "no other solves it"
    found, _ = explore({**scores, ("adding", 100, "torch", 0.03): 300}, **lengths, **BOTH)
    better = found.problems["adding"][1]
    assert (better.option, better.solved) == (Option("torch", 0.03), 2)


def test_an_option_that_serves_the_choosing_seed_alone_gives_way_to_the_next():
    scores = {("adding", 50, start, 0.01): 100 for start in BOTH["starts"]}
    scores |= {("copy", 20, "torch", 0.01): (None, None, 50), ("copy", 20, "keras", 0.03): 70}
    lengths = {"adding_lengths": (50,), "copy_lengths": (20,)}
    found, _ = explore(scores, **lengths, **BOTH)
    (copy,) = found.problems["copy"]
    assert (copy.option, copy.solved) == (Option("keras", 0.03), 2)
    found, _ = explore({**scores, ("copy", 20, "keras", 0.03): None}, **lengths, **BOTH)
    (alone,) = found.problems["copy"]
    assert (alone.option, alone.solved) == (Option("torch", 0.01), 0)
    assert len(alone.tried) == 4, "all are asked before it counts as too long"


def test_problems_have_as_many_seeds_as_decide_them():
    found, _ = explore({}, adding_lengths=(50,), counting_lengths=(9,), counting_seeds=3, **BOTH)
    assert len(found.problems["adding"][0].results) == BOTH["seeds"] == 2
    assert len(found.problems["counting"][0].results) == 3


def test_what_longer_lengths_wait_for_is_urgent():
    scores = {("adding", 50, start, 0.01): 100 for start in BOTH["starts"]}
    lengths = {"adding_lengths": (50, 100), "copy_lengths": (20,)}
    _, seen = explore(scores, **lengths, **BOTH)
    urgency = {
        (work.problem, work.length, work.option.start, work.seed): urgency
        for work, urgency in zip(seen, seen.urgency, strict=True)
    }
    assert urgency["adding", 50, "torch", 0] == 150
    assert urgency["adding", 50, "keras", 0] == 0  # nothing waits for a start that is not the best
    assert urgency["adding", 100, "torch", 0] == 100
    assert urgency["copy", 20, "torch", grid.CHOOSING] == 24


def test_lengths_beyond_one_that_fails_are_not_tried():
    found, seen = explore({}, adding_lengths=(50, 100), **BOTH)
    assert [one.length for one in found.problems["adding"]] == [50]
    assert {work.length for work in seen} == {50}


def test_nothing_asked_is_nothing_probed():
    assert summary.report(plan(), workers=1).probes == {}
    assert summary.report(plan(), workers=1).gradient is None


def test_a_variant_that_cannot_run_step_by_step_is_not_probed_and_says_why():
    found = summary.report(plan(variant={"bidirectional": True}, adding_lengths=(9,)), workers=1)
    assert found.probes == {}
    assert "cannot run step by step" in found.unprobed


def test_a_variant_that_is_not_asked_for_is_left_out_and_says_why():
    found = summary.report(plan(adding_lengths=(9,), variants=("rnn", "lstm")), workers=1)
    assert found.probes == {}
    assert found.unprobed == "probes.variants names rnn, lstm alone"
    asked = summary.report(
        plan(adding_lengths=(2,), updates=1, variants=("gru",), seeds=1, starts=("torch",)), 1
    )
    assert list(asked.probes) == ["adding"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"adding_lengths": [10, 5]}, "must rise"),
        ({"copy_lengths": [5, 5]}, "must rise"),
        ({"order_lengths": [4, 10]}, "start at 10"),
        ({"digits_lengths": [16]}, "8 rows or 64 pixels"),
        ({"starts": ["torch", "torch"]}, "lists one twice"),
        ({"gradient_reach": 100}, "must lie below gradient_length 100"),
        ({"starts": []}, "starts"),
        ({"updates": 0}, "updates"),
        ({"steps": 250}, "unknown key 'steps'"),
        ({"variants": ["gur"]}, "probes.variants: no variant named 'gur'.*gru"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, said):
    task = {"source": {"kind": "digits"}, "features": {"kind": "frames"}}
    with pytest.raises(GatewiseError, match=said):
        parse(
            {
                "tasks": {"t": task},
                "variants": {"gru": {"cell": "gru", "hidden": 2}},
                "probes": settings,
            }
        )


def test_stage_probes_a_variant_whatever_the_workers(tmp_path, monkeypatch):
    from gatewise import config
    from gatewise.artifacts import plan as plans
    from gatewise.evidence.comparison import read_probes
    from pipeline import probe as stage
    from tests.evidence_runs import study

    monkeypatch.chdir(tmp_path)
    found = []
    for workers in (1, 2):
        declared = study(("lstm", "gru"), probes=TINY, execution={"workers": workers})
        operation = (declared.execution, declared.tracking)
        monkeypatch.setattr(config, "load_operation", lambda operation=operation: operation)
        plans.write(declared)
        shutil.rmtree(".gatewise", ignore_errors=True)  # or the second would find the first's
        stage.main(["gru"])
        found.append(read_probes(declared.variants))
    assert found[0] == found[1]
    assert list(found[0]) == ["gru"]
    report = found[0]["gru"]
    assert report.probes["copy"].longest_by_seed == (0, 0)
    assert [one.length for one in report.probes["adding"].lengths] == [2]
    assert list(report.starts) == ["torch", "keras", "forget-bias", "chrono"]
    assert len(report.gradient.initial.log10) == 20
    assert len(report.gradient.initial.left) == 2
