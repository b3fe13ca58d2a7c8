"""The last block of `gatewise repro`."""

import io

import pytest
from rich.console import Console

from gatewise.repro import ending
from tests.evidence_runs import answer, summary, task_comparison, whole_comparison


@pytest.fixture
def reports(tmp_path):
    scores = summary(0.7, 0.8)
    task = task_comparison({"lstm": scores, "gru": scores}, answer=answer("gru", "lstm"))
    whole_comparison({"toy": task}).write(tmp_path / "comparison.json")
    return tmp_path


def shown(reports, width=100, **keys):
    stream = io.StringIO()
    ending.show(reports, Console(file=stream, width=width, **keys))
    return stream.getvalue()


def test_it_says_the_answer_where_the_page_is_and_what_comes_next(reports):
    text = shown(reports)
    assert "toy: take gru" in text
    assert f"the page:  {(reports / 'index.html').as_uri()}" in text
    following = text.split("next:")[1].strip().splitlines()
    commands = [line.strip() for line in following]
    assert commands[0].startswith("gatewise ui ")
    assert commands[1].startswith("gatewise predict runs/toy/gru/seed-0 FILE ...")
    assert commands[2].startswith("gatewise promote toy")
    assert len(following) == 3


def test_on_a_narrow_terminal_meanings_stand_under_their_commands(reports):
    lines = shown(reports, width=50).split("next:")[1].strip("\n").splitlines()
    assert next(line for line in lines if line.startswith("  gatewise")).strip() == "gatewise ui"
    assert all(len(line) <= 50 for line in lines if line.startswith("    "))


def test_colours_only_where_there_are_some(reports, monkeypatch):
    assert "\x1b[" in shown(reports, force_terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in shown(reports, force_terminal=True)
    assert "\x1b[" not in shown(reports)


def test_without_an_answer_it_says_how_to_get_one(tmp_path):
    task = task_comparison({"lstm": summary(0.7)})
    whole_comparison({"toy": task}).write(tmp_path / "comparison.json")
    text = shown(tmp_path)
    assert "No usable run" in text
    assert "gatewise repro" in text
