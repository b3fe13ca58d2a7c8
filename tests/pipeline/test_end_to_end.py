"""The whole pipeline, every stage and kind of data, on settings small enough for a test."""

import json
import re
import shutil
import sys

import pytest
import yaml

from tests.checkouts import run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

CELL = '''"""A cell that the study does not use."""

from gatewise.models.cells.stock import GRU


class Mine(GRU, name="mine"):
    """A GRU by another name."""

    source = "nowhere"
'''
METRIC = '        Metric("mine", "mine", True, PERCENT, _accuracy, by_class=False),\n'


def contents(folder, *patterns):
    """Bytes of files by path."""
    paths = {path for pattern in patterns for path in folder.glob(pattern)}
    return {path: path.read_bytes() for path in paths if path.is_file()}


def digests(folder):
    """Weights and predictions of every run."""
    found = {}
    for path in folder.glob("runs/*/*/seed-*/run.json"):
        record = json.loads(path.read_text())
        found[str(path.parent.relative_to(folder))] = (
            record["weights_sha256"],
            record["predictions_sha256"],
        )
    return found


@pytest.fixture
def tasks(finished):
    """Names of the study's tasks."""
    return list(yaml.safe_load((finished.folder / "params.yaml").read_text())["tasks"])


def test_one_command_gives_data_runs_verdicts_and_a_report(finished, tasks):
    folder = finished.folder
    assert len(digests(folder)) == len(tasks) * 2 * 2
    comparison = json.loads((folder / "reports" / "comparison.json").read_text())
    for task in tasks:
        (pair,) = comparison["tasks"][task]["pairs"]
        assert pair["verdict"] in ("gru", "lstm", "equivalent", "undecided")
        assert comparison["tasks"][task]["variants"]["lstm"]["train_seconds_per_epoch"] > 0
        assert task in finished.printed
    assert (folder / "reports" / "summary.md").stat().st_size > 200
    assert "<html" in (folder / "reports" / "index.html").read_text()
    assert finished.status.split() == ["??", "dvc.lock"]


def test_a_task_is_answered_before_the_next_one_is_tuned(finished, tasks):
    printed = finished.printed
    prepared = max(printed.index(f"'prepare@{task}'") for task in tasks)
    began = [printed.index(f"'tune@{task}-lstm'") for task in tasks]
    answered = [printed.index(f"answer {task}: ") for task in tasks]
    by_task = [place for pair in zip(began, answered, strict=True) for place in pair]
    in_order = [prepared, *by_task, printed.index(f"'profile@{tasks[0]}'")]
    assert in_order == sorted(in_order)


def test_metrics_and_plots_are_there_for_dvc(finished):
    folder = finished.folder
    metrics = json.loads(run(folder, "dvc", "metrics", "show", "--json"))
    assert "digits" in json.dumps(metrics)
    run(folder, "dvc", "plots", "show")
    assert "gru" in (folder / "dvc_plots" / "index.html").read_text()


def test_a_second_repro_runs_nothing(finished):
    folder = finished.folder
    assert "Data and pipelines are up to date" in run(folder, "dvc", "repro")


def test_compiled_modules_are_no_dependency(finished):
    folder = finished.folder
    compiled = folder / "src/gatewise/models/cells/__pycache__/left.cpython-399.pyc"
    compiled.parent.mkdir(exist_ok=True)
    compiled.write_bytes(b"by another Python, on another machine")
    assert json.loads(run(folder, "dvc", "status", "--json")) == {}


def test_a_width_reruns_its_own_training_and_what_follows(finished, tasks):
    folder = finished.folder
    path = folder / "params.yaml"
    before = path.read_text()
    study_ = yaml.safe_load(before)
    study_["variants"]["gru"] = {"cell": "gru", "hidden": 9}
    path.write_text(yaml.safe_dump(study_, sort_keys=False))
    try:
        run(folder, "dvc", "repro", "plan")
        planned = run(folder, "dvc", "status", "--json")
    finally:
        path.write_text(before)
        run(folder, "dvc", "repro", "plan")
    stale = set(json.loads(planned))
    assert {name for name in stale if name.startswith("train")} == {
        f"train@{task}-gru" for task in tasks
    }
    assert not {name for name in stale if name.startswith(("fetch", "prepare"))}


def test_one_worker_gives_the_same_runs_as_two(finished):
    folder = finished.folder
    before = digests(folder)
    finished_runs = folder / ".gatewise" / "runs"
    aside = finished_runs.rename(finished_runs.with_name("aside"))
    path = folder / "params.yaml"
    text = path.read_text()
    path.write_text(f"{text}\nexecution: {{workers: 1}}\n")
    try:
        run(folder, sys.executable, "-m", "pipeline.train", "digits", "gru")
        assert digests(folder) == before
        trained = list(finished_runs.glob("*/*"))
        assert len(trained) == 2, "they were trained anew"
    finally:
        path.write_text(text)
        shutil.rmtree(finished_runs, ignore_errors=True)
        aside.rename(finished_runs)


@pytest.mark.weekly
def test_what_is_added_and_used_by_nothing_makes_nothing_anew(finished, tmp_path):
    folder = shutil.copytree(finished.folder, tmp_path / "study", symlinks=True)
    made = ("data/raw/**/*", "data/prepared/**/*", "runs/**/*", "reports/cost/*")
    before = contents(folder, *made, "reports/probes/*", "reports/baselines/*")
    kept = {path.name for path in folder.glob(".gatewise/runs/*/*")}

    package = folder / "src/gatewise"
    (package / "models/cells/mine.py").write_text(CELL)
    source = (package / "data/sources/digits.py").read_text()
    (package / "data/sources/mine.py").write_text(source.replace('"digits"', '"mine"'))
    metrics = package / "config/metrics.py"
    first = '        Metric("accuracy"'
    metrics.write_text(metrics.read_text().replace(first, METRIC + first))
    stock = package / "models/cells/stock.py"
    stock.write_text("# A comment in a cell that is used.\n" + stock.read_text())

    printed = run(folder, "dvc", "repro")

    assert "mine" in run(folder, "gatewise", "cells")
    started = set(re.findall(r"Running stage '([^']+)'", printed))
    assert {"fetch@digits", "train@digits-gru", "profile@digits", "probe@gru"} <= started
    unchanged = set(re.findall(r"(\S+): unchanged: kept from before", printed))
    stages = {"fetch", "prepare", "profile", "probe", "baseline", "context"}
    assert unchanged == {name for name in started if name.partition("@")[0] in stages}
    assert {path.name for path in folder.glob(".gatewise/runs/*/*")} == kept
    assert contents(folder, *made, "reports/probes/*", "reports/baselines/*") == before
