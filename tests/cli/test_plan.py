"""`gatewise plan` in a project that has run nothing yet, and in one that has."""

import shutil

import pytest
from typer.testing import CliRunner

from gatewise.cli.main import app
from tests.evidence_runs import cost_report, variant_cost


@pytest.fixture
def folder(project, tmp_path, monkeypatch):
    shutil.copy(project / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said():
    result = CliRunner().invoke(app, ["plan"])
    assert result.exit_code == 0, result.output
    return result.output


def test_before_anything_ran(folder):
    text = said()
    for task in ("commands", "digits", "reviews"):
        assert f"{task}: " in text
    assert "times their scatter over seeds" in text
    assert "time: not known before" in text


def test_once_costs_were_measured(folder):
    names = ("rnn", "lstm", "gru", "gru-matched")
    report = cost_report(**dict.fromkeys(names, variant_cost(1.0)))
    for task in ("commands", "digits", "reviews"):
        report.write(folder / "reports" / "cost" / f"{task}.json")
    assert "minutes of training steps at most" in said()
