"""The whole pipeline, every stage and task, on settings small enough for a test."""

import json
import shutil
import sys

import yaml

from tests.checkouts import run
from tests.pipeline.small import SMALL, digests


def test_one_command_gives_data_runs_verdicts_and_a_report(study):
    folder, printed = study
    assert len(digests(folder)) == 3 * 2 * 2
    comparison = json.loads((folder / "reports" / "comparison.json").read_text())
    for task in ("commands", "digits", "reviews"):
        (pair,) = comparison["tasks"][task]["pairs"]
        assert pair["verdict"] in ("gru", "lstm", "equivalent", "undecided")
        assert comparison["tasks"][task]["variants"]["lstm"]["train_seconds_per_epoch"] > 0
        assert task in printed
    assert (folder / "reports" / "summary.md").stat().st_size > 200
    assert "<html" in (folder / "reports" / "index.html").read_text()
    assert run(folder, "git", "status", "--porcelain").split() == ["??", "dvc.lock"]


def test_a_task_is_answered_before_the_next_one_is_tuned(study):
    _, printed = study
    prepared = max(printed.index(f"'prepare@{task}'") for task in SMALL)
    began = [printed.index(f"'tune@{task}-lstm'") for task in SMALL]
    answered = [printed.index(f"answer {task}: ") for task in SMALL]
    by_task = [place for pair in zip(began, answered, strict=True) for place in pair]
    in_order = [prepared, *by_task, printed.index("'profile@commands'")]
    assert in_order == sorted(in_order)


def test_metrics_and_plots_are_there_for_dvc(study):
    folder, _ = study
    metrics = json.loads(run(folder, "dvc", "metrics", "show", "--json"))
    assert "digits" in json.dumps(metrics)
    run(folder, "dvc", "plots", "show")
    assert "gru" in (folder / "dvc_plots" / "index.html").read_text()


def test_a_second_repro_runs_nothing(study):
    folder, _ = study
    assert "Data and pipelines are up to date" in run(folder, "dvc", "repro")


def test_compiled_modules_are_no_dependency(study):
    folder, _ = study
    compiled = folder / "src/gatewise/models/cells/__pycache__/left.cpython-399.pyc"
    compiled.parent.mkdir(exist_ok=True)
    compiled.write_bytes(b"by another Python, on another machine")
    assert json.loads(run(folder, "dvc", "status", "--json")) == {}


def test_a_width_reruns_its_own_training_and_what_follows(study):
    folder, _ = study
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
        f"train@{task}-gru" for task in ("commands", "digits", "reviews")
    }
    assert not {name for name in stale if name.startswith(("fetch", "prepare"))}


def test_one_worker_gives_the_same_runs_as_two(study):
    folder, _ = study
    before = digests(folder)
    shutil.rmtree(folder / ".gatewise" / "runs")
    path = folder / "params.yaml"
    text = path.read_text()
    path.write_text(text.replace("workers: auto", "workers: 1"))
    try:
        run(folder, sys.executable, "-m", "pipeline.train", "digits", "gru")
    finally:
        path.write_text(text)
    assert digests(folder) == before
