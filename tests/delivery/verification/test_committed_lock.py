"""The lock beside the committed one: what the clock decides, and what it does not."""

import copy
import subprocess

import pytest
import yaml
from typer.testing import CliRunner

from gatewise.cli.main import app
from gatewise.delivery.verification import committed_lock
from gatewise.delivery.verification.committed_lock import compare_stages

STAGES = {
    "train@toy-gru": {
        "cmd": "train",
        "deps": [{"path": "src", "md5": "1" * 32}],
        "outs": [{"path": "runs/toy/gru", "md5": "2" * 32}],
    },
    "profile@toy": {"cmd": "profile", "outs": [{"path": "reports/cost/toy.json", "md5": "3" * 32}]},
    "compare": {
        "cmd": "compare",
        "deps": [{"path": "reports/cost", "md5": "4" * 32}],
        "outs": [
            {"path": "reports/comparison.json", "md5": "5" * 32},
            {"path": "reports/metrics.json", "md5": "6" * 32},
        ],
    },
}


def changed(stage, role, index, digest="f" * 32):
    stages = copy.deepcopy(STAGES)
    stages[stage][role][index]["md5"] = digest
    return stages


def test_an_unchanged_lock_is_said_to_be_so():
    found = compare_stages(STAGES, STAGES, None)
    assert (found.differences, found.clocked) == ([], [])
    assert found.sentence == "dvc.lock is as committed: 3 of 3 stages to the last digest"


@pytest.mark.parametrize(
    ("stage", "role", "index", "path"),
    [
        ("profile@toy", "outs", 0, "reports/cost/toy.json"),
        ("compare", "deps", 0, "reports/cost"),
        ("compare", "outs", 0, "reports/comparison.json"),
    ],
)
def test_what_the_clock_decides_may_differ(stage, role, index, path):
    found = compare_stages(STAGES, changed(stage, role, index), None)
    assert (found.differences, found.clocked) == ([], [path])
    assert "the others but for what the clock decides" in found.sentence


@pytest.mark.parametrize(
    ("stage", "role", "index", "path"),
    [
        ("train@toy-gru", "outs", 0, "output runs/toy/gru"),
        ("train@toy-gru", "deps", 0, "dependency src"),
        ("compare", "outs", 1, "output reports/metrics.json"),
    ],
)
def test_anything_else_may_not(stage, role, index, path):
    (sentence,) = compare_stages(STAGES, changed(stage, role, index), None).differences
    assert sentence.startswith(f"{stage}: {path} is ffffffffffff, committed was")


def test_commands_missing_stages_and_new_ones_are_differences():
    other = copy.deepcopy(STAGES)
    other["compare"]["cmd"] = "compare --kindly"
    new = {"fetch@toy": {"cmd": "fetch"}}
    assert compare_stages(STAGES, other, None).differences == [
        "compare: its command or parameters are not those committed"
    ]
    assert compare_stages(STAGES, {**STAGES, **new}, None).differences == [
        "fetch@toy: was not committed"
    ]
    assert compare_stages({**STAGES, **new}, STAGES, None).differences == [
        "fetch@toy: not in dvc.lock; run `dvc repro`"
    ]


def test_stages_of_an_earlier_pipeline_do_not_count():
    stale = {**STAGES, "train@toy-lstm": {"cmd": "train"}}
    found = compare_stages(STAGES, stale, set(STAGES))
    assert (found.differences, found.orphans) == ([], ["train@toy-lstm"])


def test_the_command_says_it_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_lock = lambda stages: (tmp_path / "dvc.lock").write_text(  # noqa: E731
        yaml.safe_dump({"schema": "2.0", "stages": stages})
    )
    write_lock(STAGES)
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for arguments in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "lock"]):
        subprocess.run(["git", *arguments], check=True)
    write_lock(changed("profile@toy", "outs", 0))
    done = CliRunner().invoke(app, ["verify", "--lock"])
    assert (done.exit_code, len(done.output.splitlines())) == (0, 1)
    write_lock(changed("train@toy-gru", "outs", 0))
    done = CliRunner().invoke(app, ["verify", "--lock"])
    assert done.exit_code == 1
    assert "dvc.lock is not as committed: 1 entries differ" in done.output
    (tmp_path / "dvc.lock").unlink()
    assert CliRunner().invoke(app, ["verify", "--lock"]).exit_code == 3


LOCK = """\
schema: '2.0'
stages:
  plan:
    cmd: python -m pipeline.plan
    outs:
    - path: data/plan
      md5: aa.dir
  train@toy-gru:
    cmd: x
  "train@toy-lstm":
    cmd: y
    deps:
    - path: data
      md5: bb.dir
"""


@pytest.mark.parametrize(
    ("present", "dropped"),
    [
        ({"plan", "train@toy-gru"}, ["train@toy-lstm"]),
        ({"plan", "train@toy-lstm"}, ["train@toy-gru"]),
        ({"train@toy-lstm"}, ["plan", "train@toy-gru"]),
        (set(), ["plan", "train@toy-gru", "train@toy-lstm"]),
        ({"plan", "train@toy-gru", "train@toy-lstm"}, []),
    ],
)
def test_orphans_are_dropped_and_no_other_byte(tmp_path, monkeypatch, present, dropped):
    path = tmp_path / "dvc.lock"
    path.write_text(LOCK)
    monkeypatch.setattr(committed_lock, "present_stages", lambda _root: present)
    assert committed_lock.drop_orphans(tmp_path) == dropped
    left = yaml.safe_load(path.read_text())
    assert left["stages"] == {
        name: stage for name, stage in yaml.safe_load(LOCK)["stages"].items() if name in present
    }
    lines = LOCK.splitlines()
    if present:
        assert [line for line in lines if line in path.read_text().splitlines()] == (
            path.read_text().splitlines()
        )
    if not dropped:
        assert path.read_text() == LOCK
