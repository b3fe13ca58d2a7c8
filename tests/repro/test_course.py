"""The line that says how far a `dvc repro` has come."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gatewise import config
from gatewise.repro import course
from gatewise.repro.course import Course
from tests.evidence_runs import study

ROOT = Path(__file__).parents[2]


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_it_counts_what_is_skipped_as_done_and_says_when_the_rest_will_be():
    clock = Clock()
    shown = Course(["plan", "fetch@toy", "train@toy-lstm", "train@toy-gru"], {"plan": 4}, clock)
    assert shown.read("Stage 'plan' didn't change, skipping") is None
    assert shown.read("Running stage 'fetch@toy':") == "[1 of 4 done, about 85 s left] fetch toy"
    assert shown.read("> python -m pipeline.fetch toy") is None
    assert shown.read("Updating lock file 'dvc.lock'") is None
    assert shown.read("toy: 120 examples") == "toy: 120 examples"
    clock.now += 9
    line = shown.read("Running stage 'train@toy-lstm':")
    assert line == "[2 of 4 done, about 80 s left] train toy-lstm"


def test_a_stage_takes_as_long_as_its_like_took_before_it():
    clock = Clock()
    shown = Course(["train@toy-lstm", "train@toy-gru"], clock=clock)
    shown.read("Running stage 'train@toy-lstm':")
    clock.now += 600
    line = shown.read("Running stage 'train@toy-gru':")
    assert line == "[1 of 2 done, about 10 min left] train toy-gru"
    shown.finish()
    assert shown.pace["train@toy-lstm"] == 600


def test_what_finds_its_work_done_is_expected_to_take_time_again():
    clock = Clock()
    shown = Course(["train@toy-lstm"], {"train@toy-lstm": 600.0}, clock)
    shown.read("Running stage 'train@toy-lstm':")
    clock.now += 1
    shown.finish()
    assert shown.pace["train@toy-lstm"] == 300


def test_stages_restored_from_the_cache_are_done():
    shown = Course(["fetch@toy", "plan"])
    line = "Stage 'fetch@toy' is cached - skipping run, checking out outputs"
    assert shown.read(line) is None
    assert list(shown.left) == ["plan"]


def test_the_stages_are_those_of_the_pipeline():
    """Counting others would count wrong."""
    declared = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    tasks, variants = ("one", "two"), ("lstm", "gru")
    wanted = set()
    for kind, stage in declared.items():
        matrix = stage.get("matrix", {})
        if set(matrix) == {"task", "variant"}:
            wanted |= {f"{kind}@{task}-{variant}" for task in tasks for variant in variants}
        elif "task" in matrix:
            wanted |= {f"{kind}@{task}" for task in tasks}
        elif "variant" in matrix:
            wanted |= {f"{kind}@{variant}" for variant in variants}
        else:
            wanted.add(kind)
    found = course.stages(study(variants, tasks))
    assert len(found) == len(set(found))
    assert set(found) == wanted
    assert {name.partition("@")[0] for name in found} == set(course.USUAL)


def test_what_a_child_writes_comes_through_and_its_pace_is_kept(tmp_path, capfd):
    script = "print(\"Running stage 'plan':\"); print('as it is')"
    pace = tmp_path / "pace.json"
    for _ in range(2):  # also where it is there already
        with course.shown(study(), pace) as output:
            subprocess.run([sys.executable, "-c", script], stdout=output, check=True)
    said = capfd.readouterr().out.splitlines()
    assert said[0].startswith("14 stages, about ")
    assert "plan" in said[1]
    assert said[2] == "as it is"
    assert "plan" in pace.read_text()


def test_what_is_expected_of_a_new_study_is_counted_from_its_first_line(tmp_path, capfd):
    pace = tmp_path / "pace.json"
    course.expect({"train@toy-lstm": 7200.0, "plan": 1.0}, pace)
    course.expect({"plan": 2.0}, pace)
    with course.shown(study(), pace):
        pass
    assert "about 4.1 h" in capfd.readouterr().out


@pytest.mark.parametrize("content", ["", "[]", '{"plan": "soon"}', "{", "\x00"])
def test_a_damaged_pace_is_as_good_as_none(tmp_path, content):
    path = tmp_path / "pace.json"
    path.write_text(content)
    assert course._read(path) == {}


def test_colours_are_asked_for_only_at_a_terminal(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    assert "FORCE_COLOR" not in course.environment()


def test_no_color_is_respected(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((80, 24)))
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert course.environment()["FORCE_COLOR"] == "1"
    monkeypatch.setenv("NO_COLOR", "1")
    assert "FORCE_COLOR" not in course.environment()


def test_the_shipped_study_is_counted_whole():
    shipped = config.load(ROOT / "params.yaml")
    assert len(course.stages(shipped)) == 3 + 5 * 3 + 2 * 12 + 4
