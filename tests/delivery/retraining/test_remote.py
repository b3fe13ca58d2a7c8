"""A DVC remote that is half pushed, damaged, or not there at all."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gatewise.cli.main import app
from gatewise.files import read_json
from gatewise.repro import dvc
from tests.delivery.gate.projects import command, project, tracked

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A project that was pushed, where paths are longer than a line of DVC's tables."""
    home = tmp_path_factory.mktemp("home") / "-".join(["far"] * 25)
    home.mkdir()
    folder = tracked(project(home / "project", gate={"resamples": 100}))
    command(folder, "dvc", "push", "--quiet")
    return home


@pytest.mark.parametrize(("lost", "state"), [("*.dir", "partial"), ("*[!r]", "damaged")])
def test_what_the_remote_lacks_is_left_out_and_the_rest_restored(home, monkeypatch, lost, state):
    monkeypatch.chdir(home / "project")
    clear()
    found = [path for path in (home / "remote").rglob(lost) if path.is_file()]
    file = max(found, key=lambda path: path.stat().st_size)
    whole = file.read_bytes()
    file.unlink()
    assert dvc.pull() == state
    assert Path("reports/data/toy.json").is_file()
    file.write_bytes(whole)
    assert dvc.pull() == "whole"
    assert len(list(Path.cwd().glob("runs/toy/gru/seed-*/predictions.parquet"))) == 4


@pytest.mark.parametrize("step", ["restore", "push"])
def test_a_remote_that_does_not_answer_is_one_sentence_and_code_3(home, monkeypatch, step):
    monkeypatch.chdir(home / "project")
    if step == "restore":
        clear()
    else:
        dvc.pull()
    config = home / "project/.dvc/config"
    before = config.read_text()
    config.write_text(before.replace(f"{home}/remote", "http://127.0.0.1:9/nothing"))
    done = CliRunner().invoke(app, ["retrain", f"--step={step}", "--step=promote"])
    config.write_text(before)
    assert done.exit_code == 3, done.output
    found = read_json("reports/retrain.json")
    assert found["error"].startswith(f"dvc {'pull' if step == 'restore' else step}: ")
    assert [one["name"] for one in found["steps"]] == [step], "nothing comes after it"


def clear():
    """Leave what a fresh clone has."""
    for name in (".dvc/cache", "runs", "data", "reports"):
        shutil.rmtree(name, ignore_errors=True)
