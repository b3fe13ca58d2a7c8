"""New files are seen wherever a source reads them."""

import os
from pathlib import Path
from typing import Any

import pytest

from gatewise import config
from gatewise.config import Study
from gatewise.delivery.retraining import arrivals
from tests import sounds


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def study(features: str = "log-mel", **source: Any) -> Study:
    return config.parse(
        {
            "tasks": {"mine": {"source": source, "features": {"kind": features}}},
            "variants": {"gru": {"cell": "gru", "hidden": 4}},
        },
        origin="params.yaml",
    )


def seen(of: Study) -> bool:
    """Whether something arrived; it is known afterwards."""
    found = arrivals.changed(of)
    arrivals.remember(of, found)
    return bool(found)


def touched(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def test_files_that_a_table_lists(here: Path) -> None:
    sounds.folder(here / "clips", groups=2)
    (here / "list.csv").write_text("path,label\nclips/no/s00_nohash_0.wav,no\n")
    of = study(kind="audio-folder", path="list.csv")
    assert seen(of)
    assert not seen(of)
    touched(here / "clips/yes/s00_nohash_0.wav")  # not listed
    assert not seen(of)
    touched(here / "clips/no/s00_nohash_0.wav")
    assert seen(of)


def test_a_root_of_speech_commands(here: Path) -> None:
    home = sounds.folder(here / "SpeechCommands/speech_commands_v0.02", groups=1)
    of = study(kind="speech-commands", root=".")
    assert seen(of)
    (home / "no" / "new.wav").write_bytes(sounds.wav(9))
    assert seen(of)
    assert not seen(of)


def test_what_is_not_here_is_left_to_the_cache(here: Path) -> None:
    assert not seen(study(kind="audio-folder", path="nowhere"))
    assert not seen(study("frames", kind="digits"))


def test_a_table_that_cannot_be_read_is_watched_itself(here: Path) -> None:
    (here / "list.csv").write_text("file,label\nx.wav,no\n")
    of = study(kind="audio-folder", path="list.csv")
    assert seen(of)
    (here / "list.csv").write_text("path,label\nx.wav,yes\n")
    assert seen(of)
