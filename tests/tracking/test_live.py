import os
import time

import pytest

from gatewise.artifacts.runs import RunRecord
from gatewise.execution import warm
from gatewise.tracking.live import Tracker
from gatewise.tracking.store import Store

from .conftest import write_run


@pytest.fixture
def address(monkeypatch):
    """A warm process that belongs to this test process."""
    monkeypatch.delenv(warm.ADDRESS, raising=False)
    return warm.ensure(os.getpid(), [])


@pytest.mark.slow
def test_events_reach_the_store_through_the_writer_process(config, address, tmp_path):
    folder = write_run(tmp_path / "runs")
    record = RunRecord.read(folder)
    said = []
    tracker = Tracker(
        config, "digits", "gru", address=address, data_digest="d" * 64, say=said.append
    )
    began = time.monotonic()
    tracker.start()
    tracker.run_started(0, record.key, {"threads": 1})
    tracker.epoch(0, 1, {"epoch": 1, "train_loss": 0.5, "seconds": 2.0})
    tracker.run_finished(0, folder)
    assert time.monotonic() - began < 1.0, "an observer must not hold training up"
    deadline = time.monotonic() + 120
    while not tracker._ready and time.monotonic() < deadline:
        time.sleep(0.1)
    tracker.close()
    assert said == []
    names = {run.info.run_name for run in Store(config).all_runs("digits").values()}
    assert names == {"digits/gru", "digits/gru/seed-0"}


def test_a_stage_that_ends_first_does_not_wait(config, address, tmp_path):
    said = []
    tracker = Tracker(config, "digits", "gru", address=address, say=said.append)
    began = time.monotonic()
    with tracker:
        tracker.run_finished(0, write_run(tmp_path / "runs"))
    assert time.monotonic() - began < 2.0
    assert len(said) == 1
    assert "`gatewise track` adds what is missing" in said[0]


@pytest.mark.parametrize("off", [{"enabled": False}, {"live": False}])
def test_switched_off_it_does_nothing(config, off):
    said = []
    config = config.model_copy(update=off)
    with Tracker(config, "digits", "gru", address="/nowhere", say=said.append) as tracker:
        tracker.run_started(0, "key", {})
        tracker.run_failed(0, "reason")
        assert tracker._process is None
    assert said == []
