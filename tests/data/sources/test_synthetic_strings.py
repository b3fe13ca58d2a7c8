"""Strings of digits that espeak-ng says."""

import pytest

from gatewise.config import TaskConfig, source_class
from gatewise.data import sources

FEW = {"kind": "synthetic-strings", "timbres": 3, "takes": 4, "longest": 4}


def test_strings_are_those_of_the_seed_and_their_timbre(tmp_path):
    source = source_class("synthetic-strings")
    raw = sources.fetch(source.model_validate(FEW), tmp_path / "raw")
    again = sources.fetch(source.model_validate(FEW), tmp_path / "again")
    assert raw.manifest.equals(again.manifest)
    assert len(raw.manifest) == 12
    lengths = raw.manifest["label"].str.split().str.len()
    assert set(lengths) <= {3, 4}
    assert raw.manifest["group"].nunique() == 3
    assert (raw.manifest["n_samples"] > 8_000).all()
    more = sources.fetch(source.model_validate(FEW | {"timbres": 4}), tmp_path / "more")
    assert set(raw.manifest["sha256"]) < set(more.manifest["sha256"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"longest": 2}, r"longest \(2\) is below shortest \(3\)"),
        ({"words": ["one"]}, "give at least two"),
        ({"words": ["one", "twenty one"]}, "each is one word"),
        ({"timbres": 1000}, "espeak-ng has"),
    ],
)
def test_strings_that_cannot_be_said_are_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        source_class("synthetic-strings").model_validate(FEW | changes)


def test_such_a_task_is_one_of_transcription():
    features = {"kind": "log-mel", "hop_length": 480}
    task = TaskConfig.model_validate({"source": FEW, "features": features})
    assert (task.objective.kind, task.metric) == ("transcribe", "symbol_error_rate")
