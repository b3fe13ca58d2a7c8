import json

import pytest

from benchmarks.hardening import damage
from gatewise.artifacts import runs
from gatewise.config import Augment
from gatewise.errors import DivergedError, GatewiseError
from gatewise.execution import dispatch, variant_runs
from gatewise.execution.finished_runs import FinishedRuns, run_key
from gatewise.execution.workers import Event, failure
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
            yield failure(job, error)
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


def test_a_diverging_variant_leaves_word_and_stops_nobody(train, tmp_path):
    records, events = train(make_plan(seeds=(0, 1), learning_rate=1e30, schedule="constant"))
    assert records == []
    assert {event for event in events if event[0] == "failed"} == {("failed", 0), ("failed", 1)}
    diverged = runs.read_diverged(tmp_path / "target")
    assert sorted(diverged) == [0, 1]
    assert "training diverged" in diverged[0]
    assert json.loads((tmp_path / "target" / "metrics.json").read_text()) == {"seeds": 0}
    train(make_plan(seeds=(0, 1)))
    assert runs.read_diverged(tmp_path / "target") == {}


def test_of_some_seeds_the_others_count(train, tmp_path, monkeypatch):
    good = in_this_process

    def second_diverges(jobs, workers, address):
        for job in jobs:
            if job.seed == 1:
                yield Event("started", job)
                yield failure(job, DivergedError("training diverged: its loss ended at 9"))
            else:
                yield from good([job], workers, address)

    monkeypatch.setattr(dispatch.pool, "train_all", second_diverges)
    records, _ = train(make_plan(seeds=(0, 1, 2)))
    assert [record.seed for record in records] == [0, 2]
    assert runs.read_diverged(tmp_path / "target") == {1: "training diverged: its loss ended at 9"}


@pytest.mark.parametrize("name", [runs.RECORD, runs.WEIGHTS, runs.PREDICTIONS, runs.CURVES])
def test_a_damaged_finished_run_is_named_and_trained_again(train, tmp_path, capsys, name):
    plan = make_plan(seeds=(0,))
    (first,), _ = train(plan)
    (path,) = (tmp_path / "cache").rglob(name)
    damage.spoil(path, "one bit", seed=3)
    (again,), events = train(plan, "again")
    assert ("started", 0) in events
    said = capsys.readouterr().err
    assert "toy/gru/seed-0" in said
    assert name in said
    assert "trained anew" in said
    assert again == first
    for left in (tmp_path / "target" / "seed-0").iterdir():
        assert left.read_bytes() == (tmp_path / "again" / "seed-0" / left.name).read_bytes()


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
