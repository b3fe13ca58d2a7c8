import json

import pytest

from gatewise.artifacts import runs
from gatewise.config import Augment
from gatewise.errors import GatewiseError
from gatewise.execution import dispatch, variant_runs
from gatewise.execution.finished_runs import FinishedRuns, run_key
from gatewise.execution.workers import Event
from tests.tasks import make_plan, write_task


@pytest.fixture
def prepared(tmp_path):
    write_task(tmp_path / "prepared")
    return tmp_path / "prepared"


class Recorder:
    """An observer that writes down every event."""

    def __init__(self):
        self.events = []

    def run_started(self, seed, key, params):
        self.events.append(("started", seed))

    def epoch(self, seed, epoch, values):
        self.events.append(("epoch", seed, epoch))

    def run_finished(self, seed, folder):
        assert (folder / runs.RECORD).exists()
        self.events.append(("finished", seed))

    def run_failed(self, seed, reason):
        self.events.append(("failed", seed))


def in_this_process(jobs, workers, address):
    """Stands for the pool of processes: the same work without them."""
    from gatewise.training import work

    for job in jobs:
        epochs = []
        yield Event("started", job)
        try:
            work.carry_out(
                job, lambda epoch, values: epochs.append(Event("epoch", job, epoch, values))
            )
        except GatewiseError as error:
            yield Event("failed", job, reason=str(error))
            continue
        yield from epochs
        yield Event("finished", job)


@pytest.fixture
def train(monkeypatch, tmp_path, prepared):
    monkeypatch.setattr(dispatch.pool, "train_all", in_this_process)

    def run(plan, target="target", tuned=None):
        observer = Recorder()
        records = variant_runs.train_variant(
            plan,
            prepared,
            tmp_path / target,
            dispatch.Dispatch(address=""),
            tuned=tuned,
            finished=FinishedRuns(tmp_path / "cache" / "runs"),
            observers=[observer],
        )
        return records, observer.events

    return run


def test_all_seeds_land_in_the_folder_with_their_summary(train, tmp_path):
    records, _ = train(make_plan(seeds=(0, 2)))
    assert [record.seed for record in records] == [0, 2]
    assert sorted(p.name for p in (tmp_path / "target").iterdir()) == [
        "metrics.json",
        "seed-0",
        "seed-2",
    ]
    metrics = json.loads((tmp_path / "target" / "metrics.json").read_text())
    values = [record.metrics["test"]["accuracy"] for record in records]
    assert metrics["test_accuracy"]["mean"] == pytest.approx(sum(values) / 2)


def test_an_added_seed_trains_alone(train):
    train(make_plan(seeds=(0, 1)))
    _, events = train(make_plan(seeds=(0, 1, 2)))
    assert [e for e in events if e[0] == "started"] == [("started", 2)]
    assert {e[1] for e in events if e[0] == "finished"} == {0, 1, 2}


def test_a_changed_setting_trains_anew(train):
    train(make_plan(seeds=(0,)))
    _, events = train(make_plan(seeds=(0,), weight_decay=0.5))
    assert ("started", 0) in events


def test_a_failing_seed_fails_the_stage_by_name_and_keeps_the_others(train, tmp_path, monkeypatch):
    plan = make_plan(seeds=(0, 1, 2))
    good = in_this_process

    def second_fails(jobs, workers, address):
        for job in jobs:
            if job.seed == 1:
                yield Event("started", job)
                yield Event("failed", job, reason="its process was killed")
            else:
                yield from good([job], workers, address)

    monkeypatch.setattr(dispatch.pool, "train_all", second_fails)
    with pytest.raises(GatewiseError, match=r"toy/gru: 1 of 3 runs failed \(seed 1\).*killed"):
        train(plan)
    assert not (tmp_path / "target").exists()
    monkeypatch.setattr(dispatch.pool, "train_all", good)
    _, events = train(plan)
    assert [e for e in events if e[0] == "started"] == [("started", 1)]


def test_a_damaged_finished_run_is_trained_again(train, tmp_path):
    plan = make_plan(seeds=(0,))
    train(plan)
    (record,) = (tmp_path / "cache").rglob(runs.RECORD)
    record.write_text("{}")
    _, events = train(plan)
    assert ("started", 0) in events


def test_keys_tell_runs_apart_and_nothing_else():
    plan = make_plan(seeds=(0, 1))
    key = run_key(plan, 0, "data")
    assert run_key(make_plan(seeds=(0, 1, 2, 3)), 0, "data") == key
    others = [
        run_key(plan, 1, "data"),
        run_key(plan, 0, "other data"),
        run_key(make_plan("lstm"), 0, "data"),
        run_key(make_plan(epochs=3), 0, "data"),
        run_key(make_plan(threads=2), 0, "data"),
        run_key(make_plan(augment=Augment(time_shift=0.1)), 0, "data"),
    ]
    assert len({key, *others}) == 7
