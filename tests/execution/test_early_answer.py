"""A task's answer while other tasks still train."""

import pytest

from gatewise.artifacts import plan, tuned
from gatewise.artifacts.tuned import Tuned
from gatewise.execution import early_answer
from gatewise.files import digest
from tests.evidence_runs import record, study, write_run

SEEDS = 6


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A planned study of two tasks; run keys as the made-up records have them."""
    plan.write(study(tasks=("toy", "other"), seeds=SEEDS), tmp_path / "data" / "plan")

    for task in ("toy", "other"):
        for variant in ("lstm", "gru"):
            path = tuned.path(task, variant, tmp_path / "data" / "tuned")
            Tuned(task=task, variant=variant, metric="accuracy").write(path)

    def keys(plans, _prepared):
        return {s: digest([one.task, one.variant, s]) for s, one in plans.items()}

    monkeypatch.setattr(early_answer, "run_keys", keys)
    return tmp_path


def train(project, variant, seeds=range(SEEDS), **changes):
    for seed in seeds:
        score = 0.9 + 0.002 * ((seed * (2 if variant == "gru" else 1)) % 5)
        write_run(project, record("toy", variant, seed, score, **changes))


def test_it_comes_with_the_last_run_of_its_task(project, capsys):
    train(project, "lstm")
    early_answer.say("toy", project)
    assert capsys.readouterr().out == ""
    train(project, "gru", range(SEEDS - 1))
    early_answer.say("toy", project)
    assert capsys.readouterr().out == ""
    train(project, "gru", [SEEDS - 1])
    early_answer.say("toy", project)
    said = capsys.readouterr().out
    assert said.startswith("answer toy: take ")
    assert "below the best (95 %)" in said
    assert said.count("\n") == 1


def test_runs_of_an_earlier_plan_are_no_answer(project, capsys):
    train(project, "lstm")
    train(project, "gru", key="of another plan")
    early_answer.say("toy", project)
    assert capsys.readouterr().out == ""


def test_what_cannot_be_compared_is_left_to_the_stage_that_compares(project, capsys):
    train(project, "lstm", instructions="portable")
    train(project, "gru", instructions="native")
    early_answer.say("toy", project)
    assert capsys.readouterr().out == ""
