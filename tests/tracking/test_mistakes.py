import json

import pandas as pd
import pytest

from gatewise.artifacts import runs
from gatewise.artifacts.runs import PREDICTIONS
from gatewise.tracking import mistakes

LABELS = ["no", "yes"]


@pytest.fixture
def folder(tmp_path):
    """Four predictions, two of them wrong; the second is the more confident mistake."""
    table = pd.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "group": ["g"] * 4,
            "label": [0, 0, 1, 1],
            "predicted": [1, 1, 1, 1],
            "probabilities": [[0.4, 0.6], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7]],
        }
    )
    table.to_parquet(tmp_path / PREDICTIONS)
    return tmp_path


def read(files, name):
    table = json.loads(files[name]())
    return table["columns"], table["data"]


def test_tables_are_in_the_form_that_mlflow_shows(folder):
    files = mistakes.artifacts(folder, "toy", LABELS)
    columns, rows = read(files, mistakes.WORST)
    assert columns == ["id", "group", "class", "predicted", "confidence"]
    assert rows == [["b", "g", "no", "yes", 0.9], ["a", "g", "no", "yes", 0.6]]
    columns, rows = read(files, mistakes.CLASSES)
    assert columns == ["class", "test examples", "recall", "precision", "F1"]
    assert rows == [["no", 2, 0.0, 0.0, 0.0], ["yes", 2, 1.0, 0.5, 0.6667]]
    assert len(read(files, mistakes.PREDICTIONS)[1]) == 4


def test_documents_stand_beside_mistakes(folder, tmp_path, monkeypatch):
    found = runs.read_predictions(folder)
    table = mistakes.worst(found, LABELS, {"b": "not bad at all"})
    assert table.columns[-1] == "text"
    assert [row[-1] for row in table.rows] == ["not bad at all", ""]


def test_worst_mistakes_can_be_heard_where_the_clips_are(folder, tmp_path):
    raw = tmp_path / "raw"
    (raw / "toy" / "no").mkdir(parents=True)
    (raw / "toy" / "no" / "b.wav").write_bytes(b"RIFF")
    clips = pd.DataFrame({"id": ["a", "b"], "path": ["no/a.wav", "no/b.wav"]})
    clips.to_parquet(raw / "toy" / "manifest.parquet")
    found = mistakes.sounds([folder], "toy", LABELS, raw)
    assert found == {"worst/1-no-as-yes.wav": raw / "toy/no/b.wav"}
    assert mistakes.sounds([folder], "other", LABELS, raw) == {}


def test_without_predictions_there_are_no_tables(tmp_path):
    assert mistakes.artifacts(tmp_path, "toy", LABELS) == {}
