"""The textbook's tasks through the whole pipeline: `docs/studies/textbook-tiny.yaml`."""

import json

import numpy as np
import pandas as pd
import pytest

from gatewise.artifacts import objectives
from gatewise.config import load
from tests.checkouts import run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture
def study(finished):
    return finished.folder


def test_the_study_has_every_kind_of_task(project):
    from gatewise.config import objective_kinds

    asked = load(project / "docs/studies/textbook-tiny.yaml").tasks.values()
    assert {task.objective.kind for task in asked} == set(objective_kinds())


def test_the_tiny_study_has_the_tasks_of_the_whole_one(project):
    tiny, whole = (load(project / f"docs/studies/textbook{size}.yaml") for size in ("-tiny", ""))
    assert tiny.tasks.keys() == whole.tasks.keys()
    for name, task in whole.tasks.items():
        assert tiny.tasks[name].objective.kind == task.objective.kind
        assert tiny.tasks[name].metric == task.metric
    assert min(len(whole.seeds_of(name, "gru")) for name in whole.tasks) >= 8


def test_every_task_is_compared_by_its_own_metric_and_answered(study):
    comparison = json.loads((study / "reports/comparison.json").read_text())
    for name, task in load(study / "params.yaml").tasks.items():
        entry = comparison["tasks"][name]
        assert entry["metric"]["name"] == task.metric
        (pair,) = entry["pairs"]
        assert pair["test_noise"]["se_groups"] > 0, "groups are resampled"
        assert entry["answer"]["choice"] in ("lstm", "gru")
        assert len(entry["baselines"]) >= 2
        cut = objectives.of(task.objective.model_dump()).cut
        assert (entry["context"] is not None) == cut
    assert comparison["tasks"]["tourism"]["metric"]["direction"] == "lower"
    assert comparison["tasks"]["tourism"]["metric"]["rope"] == 0.01


def test_pages_show_forecasts_and_no_confusion_of_them(study):
    page = (study / "reports/index.html").read_text()
    assert 'data-chart="tourism--forecast-1"' in page
    assert "tourism--confusion" not in page
    assert 'data-chart="digits--confusion-gru"' in page
    told = pd.read_csv(study / "reports/plots/forecasts.csv")
    assert set(told["sort"]) == {"typical", "worst"}
    assert told["step"].max() == 24


def test_pages_show_transcripts_side_by_side(study):
    page = (study / "reports/index.html").read_text()
    told = pd.read_csv(study / "reports/plots/examples.csv")
    assert set(told["task"]) == {"strings", "phrases", "pronounce", "captions"}
    assert set(told["variant"]) == {"lstm", "gru"}
    assert told["truth"].iloc[0] in page
    assert 'data-chart="strings--confusion-gru"' in page
    assert "pronounce--confusion" not in page


def test_the_shell_says_how_a_word_is_pronounced(study):
    pd.DataFrame({"text": ["hello", "walks"]}).to_csv(study / "words.csv", index=False)
    asked = ("runs/pronounce/gru/seed-0", "words.csv", "--json")
    said = run(study, "python", "-m", "gatewise.cli.main", "predict", *asked)
    found = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert len(found) == 2
    assert all(answer["text"].split() == answer["symbols"] for answer in found)
    assert all(0 < answer["probability"] <= 1 for answer in found)


def test_the_shell_transcribes_a_sound(study):
    sound = next((study / "data/raw/strings").rglob("*.wav"))
    asked = ("runs/strings/gru/seed-0", str(sound), "--json")
    said = run(study, "python", "-m", "gatewise.cli.main", "predict", *asked)
    (answer,) = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert answer["text"].split() == answer["symbols"]
    assert 0 <= answer["probability"] <= 1


def test_the_shell_translates_a_phrase(study):
    (study / "phrases.csv").write_text("text\nbattery level\n")
    asked = ("runs/phrases/gru/seed-0", "phrases.csv", "--json")
    said = run(study, "python", "-m", "gatewise.cli.main", "predict", *asked)
    (answer,) = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert answer["text"] == " ".join(answer["symbols"])
    assert 0 <= answer["probability"] <= 1


def test_mlflow_has_tables_of_every_kind(study):
    tables = list((study / "mlartifacts").rglob("predictions.json")) or list(
        study.rglob("artifacts/predictions.json")
    )
    headings = {tuple(json.loads(path.read_text())["columns"]) for path in tables}
    assert ("id", "group", "class", "predicted", "confidence") in headings
    assert ("id", "group", "actual", "forecast", "MASE") in headings
    assert ("id", "group", "reference", "transcript", "error rate") in headings
    assert ("id", "group", "reference", "said", "error rate") in headings


def test_the_shell_answers_a_series(study):
    months = np.arange(60)
    values = 100 + months + 20 * np.sin(2 * np.pi * months / 12)
    pd.DataFrame({"value": values}).to_csv(study / "visitors.csv", index=False)
    asked = ("runs/tourism/gru/seed-0", "visitors.csv", "--json")
    said = run(study, "python", "-m", "gatewise.cli.main", "predict", *asked)
    (answer,) = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert len(answer["values"]) == len(answer["lower"]) == 24
    assert all(low <= high for low, high in zip(answer["lower"], answer["upper"], strict=True))
    assert np.isfinite(answer["values"]).all()
