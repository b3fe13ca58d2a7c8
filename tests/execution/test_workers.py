import os
import signal
import sys
from multiprocessing.connection import Connection

import pytest

from gatewise.execution import warm
from gatewise.execution.workers import Event, train_all
from gatewise.training.job import Job
from tests.tasks import make_plan


@pytest.fixture
def address(monkeypatch):
    monkeypatch.delenv(warm.ADDRESS, raising=False)
    return warm.ensure(os.getpid(), [__name__])


def pretend(job, fd):
    """Stands for training: what happens depends on the seed."""
    sender = Connection(fd, readable=False)
    sender.send(Event("started", job))
    if job.seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if job.seed == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    if job.seed == 3:
        sys.exit(7)
    sender.send(Event("epoch", job, epoch=1, values={"train_loss": float(job.seed)}))
    sender.send(Event("finished", job))


def jobs(tmp_path, seeds):
    return [Job(make_plan(), seed, f"key-{seed}", tmp_path, tmp_path) for seed in seeds]


def test_a_dead_worker_is_named_and_the_others_finish(address, tmp_path):
    events = list(train_all(jobs(tmp_path, range(6)), 2, address, pretend))
    failed = {event.job.seed: event.reason for event in events if event.kind == "failed"}
    assert set(failed) == {1, 2, 3}
    assert "signal 9" in failed[1]
    assert "ran out of memory" in failed[1]
    assert "SIGSEGV" in failed[2]
    assert "status 7" in failed[3]
    assert {event.job.seed for event in events if event.kind == "finished"} == {0, 4, 5}
    for seed in (0, 4, 5):
        mine = [event.kind for event in events if event.job.seed == seed]
        assert mine == ["started", "epoch", "finished"]


def test_never_more_at_once_than_asked_for(address, tmp_path):
    running, most = set(), 0
    for event in train_all(jobs(tmp_path, [4, 5, 6, 7, 8]), 2, address, pretend):
        (running.add if event.kind == "started" else running.discard)(event.job.seed)
        most = max(most, len(running))
    assert 1 <= most <= 2
