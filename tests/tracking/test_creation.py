"""The store is created once, by a process that no stage's end takes with it."""

import os
import time

import pytest

from gatewise.config import TrackingConfig
from gatewise.execution import warm
from gatewise.tracking import creation


@pytest.fixture
def process(monkeypatch):
    monkeypatch.delenv(warm.ADDRESS, raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return warm.ensure(os.getpid(), ["json"])


@pytest.mark.slow
def test_whoever_asks_need_not_wait_and_finds_it_whole(tmp_path, process):
    from gatewise.tracking.store import Store

    config = TrackingConfig(uri=f"sqlite:///{tmp_path}/mlflow.db")
    began = time.monotonic()
    creation.begin(config, process)
    creation.begin(config, process)  # a second one waits for the first, and finds it done
    assert time.monotonic() - began < 5
    deadline = time.monotonic() + 120
    while not (tmp_path / "mlflow.db").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert Store(config, create=False).find


def test_nothing_is_asked_where_nothing_is_to_be_created(tmp_path, process, monkeypatch):
    asked = []
    monkeypatch.setattr(warm, "leave", lambda *words: asked.append(words))
    there = tmp_path / "there.db"
    there.touch()
    for settings in (
        {"uri": f"sqlite:///{there}"},
        {"uri": "http://127.0.0.1:1"},
        {"uri": f"sqlite:///{tmp_path}/new.db", "live": False},
        {"uri": f"sqlite:///{tmp_path}/new.db", "enabled": False},
    ):
        creation.begin(TrackingConfig(**settings), process)
    assert asked == []
    creation.begin(TrackingConfig(uri=f"sqlite:///{tmp_path}/new.db"), process)
    creation.begin(TrackingConfig(uri=f"sqlite:///{tmp_path}/new.db"))  # no process is shared
    assert [words[0] for words in asked] == [process]


def test_a_process_that_is_gone_is_no_matter(tmp_path):
    creation.begin(TrackingConfig(uri=f"sqlite:///{tmp_path}/new.db"), str(tmp_path / "nobody"))
    assert list(tmp_path.iterdir()) == []
