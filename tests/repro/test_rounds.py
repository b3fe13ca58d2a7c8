import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatewise import config
from gatewise.errors import GatewiseError
from gatewise.execution import ahead, warm
from gatewise.repro import dvc, rounds
from tests.evidence_runs import answer, summary, task_comparison, whole_comparison

STUDY = """
tasks: {digits: {source: {kind: digits}, features: {kind: frames}}}
variants: {lstm: {cell: lstm, hidden: 4}, gru: {cell: gru, hidden: 4}}
compare: {primary: [[gru, lstm]]}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def declare(folder, seeds):
    (folder / "params.yaml").write_text(f"seeds: {seeds}\n{STUDY}")


def comparison(seeds, looks, answered):
    """A comparison of a task whose two variants have so many seeds."""
    scores = summary(*[0.5] * seeds)
    found = answer("gru", "lstm", within_tolerance=answered)
    task = task_comparison({"lstm": scores, "gru": scores}, seeds=range(seeds), answer=found)
    return whole_comparison({"digits": task}, looks=looks)


def test_looks_end_at_the_cap():
    assert config.Rounds(first=8, step=4, cap=20).looks == [8, 12, 16, 20]
    assert config.Rounds(first=8, step=5, cap=20).looks == [8, 13, 18, 20]
    assert config.Rounds(first=8, step=4, cap=8).looks == [8]


def test_auto_starts_at_the_first_look_and_goes_on_where_the_lock_says(folder):
    declare(folder, "auto")
    assert config.load().seed_list == list(range(8))
    rounds.write({"digits": {"lstm": 12, "gru": 10}})
    study = config.load()
    assert study.seed_list == study.seeds_of("digits", "lstm") == list(range(12))
    assert study.seeds_of("digits", "gru") == list(range(10))
    assert study.runs == 22
    rounds.write({"digits": {"lstm": 999}})
    study = config.load()
    assert study.seeds_of("digits", "lstm") == list(range(32))
    assert study.seeds_of("digits", "gru") == list(range(8))  # it was not there before
    declare(folder, "{first: 5, step: 2, cap: 9}")
    assert config.load().looks == [5, 7, 9]


def test_one_number_for_all_is_read_as_before(folder):
    declare(folder, "auto")
    (folder / "seeds.lock").write_text("reached: 12\n")
    study = config.load()
    assert study.seeds_of("digits", "gru") == study.seed_list == list(range(12))


def test_the_lock_does_not_concern_a_fixed_number_of_seeds(folder):
    declare(folder, 3)
    rounds.write({"digits": {"gru": 12}})
    assert config.load().seed_list == [0, 1, 2]
    assert config.load().looks is None


@pytest.mark.parametrize(
    "nonsense", ["reached: many", "reached: -1", "seeds: {digits: 8}", "seed: 8", "8", ""]
)
def test_a_lock_that_says_nonsense_is_refused(folder, nonsense):
    declare(folder, "auto")
    (folder / "seeds.lock").write_text(f"{nonsense}\n")
    with pytest.raises(GatewiseError, match=r"seeds\.lock: expected `reached"):
        config.load()


def test_a_cap_below_the_first_look_is_refused(folder):
    declare(folder, "{first: 8, cap: 4}")
    with pytest.raises(GatewiseError, match="cap 4 is below first 8"):
        config.load()


@pytest.mark.parametrize(
    ("answered_at", "reproduced"), [(5, [5]), (9, [5, 7, 9]), (None, [5, 7, 9])]
)
def test_rounds_go_on_until_answered_or_capped(folder, answered_at, reproduced):
    declare(folder, "{first: 5, step: 2, cap: 9}")
    seen, said = [], []

    def dvc():
        study = config.load()
        seen.append(len(study.seed_list))
        answered = bool(answered_at) and seen[-1] >= answered_at
        comparison(seen[-1], study.looks, answered).write("reports/comparison.json")
        return 0

    assert rounds.reproduce(dvc, say=said.append) == 0
    assert seen == reproduced
    assert len(said) == len(reproduced) - 1
    assert all("more seeds for digits (lstm, gru: " in sentence for sentence in said)


def test_no_round_begins_that_would_end_too_late(folder):
    declare(folder, "{first: 5, step: 2, cap: 9, minutes: 2}")
    moments, seen, said = iter([0, 0, 50, 50, 100]), [], []  # seconds: two rounds of 50 each

    def dvc():
        study = config.load()
        seen.append(len(study.seed_list))
        comparison(seen[-1], study.looks, False).write("reports/comparison.json")
        return 0

    assert rounds.reproduce(dvc, said.append, lambda: next(moments)) == 0
    assert seen == [5, 7]
    assert "the 2 minutes that seeds.minutes allows" in said[-1]
    assert "still open: digits (lstm, gru: 9 seeds)" in said[-1]


def test_what_the_race_saved_is_said_at_its_end(folder):
    declare(folder, "{first: 5, step: 2, cap: 9}")
    said = []

    def dvc():
        task = task_comparison(
            {"lstm": summary(*[0.5] * 7), "gru": summary(*[0.4] * 5)},
            seeds=range(7),
            answer=answer("lstm"),
        )
        whole_comparison({"digits": task}, looks=[5, 7, 9]).write("reports/comparison.json")
        return 0

    assert rounds.reproduce(dvc, said.append) == 0
    assert "2 runs saved against as many seeds of every variant on every task" in said[-1]


def test_a_failing_repro_ends_the_rounds(folder):
    declare(folder, "auto")
    assert rounds.reproduce(lambda: 3) == 3


def test_the_studies_in_the_docs_are_valid(project):
    for path in sorted((project / "docs" / "studies").glob("*.yaml")):
        assert config.load(path).seed_list


def test_stages_find_this_python_although_nothing_was_activated(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    found = subprocess.run(
        ["sh", "-c", "command -v python"],
        env=dvc.environment(),
        capture_output=True,
        check=True,
        text=True,
    )
    assert Path(found.stdout.strip()) == Path(sys.executable).with_name("python")


@pytest.mark.parametrize("wanted", [True, False])
def test_all_rounds_share_a_warm_process_and_idle_cores_work_ahead(folder, monkeypatch, wanted):
    declare(folder, 2)
    with (folder / "params.yaml").open("a") as stream:
        stream.write(f"execution: {{ahead: {str(wanted).lower()}}}\n")
    started = []

    class Process:
        def __init__(self, command, env, stdout):
            started.append((command, env))

        def wait(self):
            return 0

    monkeypatch.delenv(warm.OWNER, raising=False)
    monkeypatch.setattr(rounds.subprocess, "Popen", Process)
    assert rounds.dvc_repro() == 0
    ((command, env),) = started
    assert command[1:] == ["-m", "dvc", "repro"]
    assert env[warm.OWNER] == str(os.getpid())
    assert (ahead.WANTED in env) == wanted
