"""What keeps a retraining from running is one sentence and code 3, and nothing is promoted."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from gatewise import config
from gatewise.cli.main import app
from gatewise.delivery.retraining import arrivals, preview, report, steps
from gatewise.errors import GatewiseError
from gatewise.files import read_json
from gatewise.repro import dvc, leftovers
from tests.delivery.gate.projects import project


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project whose runs are there, without a pipeline that made them."""
    return project(tmp_path_factory.mktemp("steps") / "project", gate={"resamples": 100})


@pytest.fixture
def here(finished, tmp_path, monkeypatch):
    folder = tmp_path / "project"
    shutil.copytree(finished, folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for arguments in (["init", "-q"], ["add", "params.yaml"], ["commit", "-qm", "x"]):
        subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x", *arguments], check=True)
    (folder / ".dvc").mkdir()
    (folder / "dvc.yaml").write_text("stages: {}\n")
    return folder


def call(*arguments):
    return CliRunner().invoke(app, ["retrain", *arguments])


def test_a_single_step_leaves_its_report(here, finished):
    done = call("--step", "gate", "--against", str(finished))
    assert done.exit_code == 0, done.output
    found = read_json(here / "reports/retrain.json")
    assert (found["verdict"], found["exit_code"], found["error"]) == ("pass", 0, None)
    assert [step["name"] for step in found["steps"]] == ["gate"]
    assert (here / "reports/retrain.md").read_text().startswith(report.MARKER)


@pytest.mark.parametrize(
    ("spoil", "arguments", "reason"),
    [
        (lambda p: None, ["--step", "dance"], "no step 'dance'"),
        (lambda p: (p / "dvc.yaml").unlink(), [], "no DVC project here"),
        (lambda p: None, ["--promote", "--against", "HEAD"], "--promote needs --against champion"),
        (lambda p: None, ["--promote"], "set tracking.enabled"),
        (lambda p: (p / "params.yaml").write_text("later: 1"), [], "unknown key 'later'"),
        (lambda p: (p / "dvc.lock").write_text("{["), ["--step", "repro"], "dvc"),
        (
            lambda p: (p / "reports/data/toy.json").unlink(),
            ["--step", "gate", "--against", "."],
            "toy.json: missing",
        ),
        (lambda p: None, ["--step", "promote"], ""),
    ],
)
def test_one_sentence_and_code_3(here, spoil, arguments, reason):
    spoil(here)
    done = call(*arguments)
    if not reason:  # a step that has nothing to do
        assert done.exit_code == 0
        return
    assert done.exit_code == 3, done.output
    assert reason in done.output
    assert "Traceback" not in done.output


def test_a_dirty_tree_promotes_nothing(here):
    text = (here / "params.yaml").read_text().replace("enabled: false", "enabled: true")
    (here / "params.yaml").write_text(text)
    done = call("--promote")
    assert done.exit_code == 3
    assert "files differ from the last commit" in done.output
    assert not (here / "mlflow.db").exists()


def test_two_at_once(here):
    with steps.exclusive():
        done = call("--step", "gate")
    assert done.exit_code == 3
    assert "another `gatewise retrain` is at work" in done.output


@contextmanager
def unprivileged():
    """As a user whose permissions count, whoever runs the tests."""
    root = os.getuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize("closed", ["reports", "."])
def test_no_permission_to_write(here, closed):
    gate = ("--step", "gate", "--against", ".")
    assert call(*gate).exit_code == 0, "imports what another user might not be allowed to read"
    shutil.rmtree(".gatewise")
    for folder in (".", "reports"):
        (here / folder).chmod(0o555 if folder == closed else 0o777)
    with unprivileged():
        done = call(*gate)
    (here / closed).chmod(0o755)
    assert done.exit_code == 3, done.output
    assert "no permission" in done.output
    assert "Traceback" not in done.output


def test_a_full_disk_is_one_sentence(here, finished, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "reports/gate.json")

    monkeypatch.setattr("gatewise.delivery.gate.run.write_json", full)
    done = call("--step", "gate", "--against", str(finished))
    assert done.exit_code == 3
    assert "reports/gate.json: the disk is full" in done.output


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            ["ERROR: failed to pull data from the cloud - Unable to find host"],
            "Unable to find host",
        ),
        (
            ["error: mine.csv: no rows", "ERROR: failed to reproduce 'fetch@mine'"],
            "mine.csv: no rows",
        ),
        (["ERROR: Unable to acquire lock. Most likely another DVC"], "another DVC is at work"),
        (["OSError: [Errno 28] No space left on device"], "the disk is full"),
        (
            ["ERROR: 'runs' is busy, it is being blocked by:", "  (PID 7): dvc repro", "", "If no"],
            "'runs' is busy, it is being blocked by: (PID 7): dvc repro",
        ),
        ([], "ended with status 7"),
    ],
)
def test_dvcs_own_words_become_one_sentence(said, reason):
    assert reason in dvc._reason(said, 7)


def test_seeds_are_written_to_the_study_before_a_step_is_taken(here, finished):
    before = (here / "params.yaml").read_text()
    done = call("--seeds", "3", "--step", "gate", "--against", str(finished))
    assert done.exit_code == 0, done.output
    after = (here / "params.yaml").read_text()
    changed = set(before.splitlines()) ^ set(after.splitlines())
    assert changed == {"seeds: 4", "seeds: 3"}


def test_new_files_are_seen_and_remembered(here):
    folder = here / "clips"
    (folder / "yes").mkdir(parents=True)
    (folder / "yes" / "a.wav").write_bytes(b"x")
    study = config.parse(
        {
            "tasks": {
                "mine": {
                    "source": {"kind": "audio-folder", "path": "clips"},
                    "features": {"kind": "log-mel"},
                }
            },
            "variants": {"gru": {"cell": "gru", "hidden": 4}},
        }
    )
    assert arrivals.changed(study) == {"mine": "clips"}
    arrivals.remember(study, arrivals.changed(study))
    assert arrivals.changed(study) == {}
    (folder / "yes" / "b.wav").write_bytes(b"y")
    assert arrivals.changed(study) == {"mine": "clips"}
    (folder / "yes" / "b.wav").unlink()
    assert arrivals.changed(study) == {}


def test_a_retraining_begins_by_clearing_what_a_killed_one_left(here):
    (here / ".gatewise").mkdir(exist_ok=True)
    whole = "schema: '2.0'\nstages: {}\n"
    (here / "dvc.lock").write_text(whole)
    leftovers.write_down(2**22 + 1)
    (here / "dvc.lock").write_text("")
    (here / ".dvc/tmp").mkdir()
    (here / ".dvc/tmp/rwlock").write_text("")
    with steps.exclusive():
        assert (here / "dvc.lock").read_text() == whole
        assert not (here / ".dvc/tmp/rwlock").exists()
    # Without a killed retraining a broken lock is somebody's to look at, not ours to replace.
    (here / "dvc.lock").write_text("<<<<<<< HEAD")
    with steps.exclusive():
        assert (here / "dvc.lock").read_text() == "<<<<<<< HEAD"


def test_what_follows_from_a_change_is_foreseen():
    locked = {
        "a": {"outs": [{"path": "data/a"}]},
        "b": {"deps": [{"path": "data/a/x.json"}], "outs": [{"path": "runs/b"}]},
        "c": {"deps": [{"path": "runs"}], "outs": [{"path": "reports"}]},
        "d": {"deps": [{"path": "elsewhere"}], "outs": [{"path": "alone"}]},
    }
    assert list(preview._following(locked, {"a"})) == [("b", "data/a/x.json"), ("c", "runs")]


def test_the_comment_says_what_failed():
    done = steps.Retraining()
    done.error = "the remote does not answer"
    done.steps = [steps.Step("restore", "failed", "no", 1.0)]
    text = report.render(done.record())
    assert text.startswith(report.MARKER)
    assert "Retraining could not run" in text
    assert "✘ restore" in text
    with pytest.raises(GatewiseError):
        steps.Retraining(against="HEAD", promote=True).run(["gate"])
