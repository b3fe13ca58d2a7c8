"""Real data as they are published, where they lie beside the project."""

from pathlib import Path

import pytest

from gatewise.data.understanding import understand

REAL = Path(__file__).parents[4] / "shared" / "data"


@pytest.mark.skipif(not (REAL / "SpeechCommands").is_dir(), reason="no real recordings here")
def test_real_recordings() -> None:
    found = understand(REAL / "SpeechCommands" / "speech_commands_v0.01")
    assert found.source["kind"] == "speech-commands"
    assert found.split_sizes == {"train": 1363, "validation": 196, "test": 242}
    assert (len(found.labels), found.groups) == (9, 174)
    assert found.rates == {16_000: 1801}
    assert found.unusable == {}
    assert found.active_lengths is not None
    assert 0.4 < found.active_lengths[900] < 0.8  # a word takes half a second


@pytest.mark.skipif(not (REAL / "banking77").is_dir(), reason="no real questions here")
def test_real_questions() -> None:
    found = understand(REAL / "banking77")
    assert (found.source["text"], found.source["label"]) == ("text", "category")
    assert found.split_sizes == {"train": 10_003, "test": 3_080}
    assert len(found.labels) == 77
    assert found.leaks["duplicates"] == 25
    assert 100 < found.leaks["near-duplicates"] < 200
