"""On a real cluster of several raylets; all on this machine, but each a node of its own to Ray."""

import dataclasses
import math
import os
import socket
import sys

import pytest

from gatewise.artifacts import runs, software
from gatewise.config import ExecutionConfig, VariantConfig
from gatewise.errors import GatewiseError
from gatewise.execution import ray_cluster
from gatewise.execution.dispatch import Dispatch
from gatewise.execution.finished_runs import FinishedRuns
from gatewise.execution.variant_runs import train_variant
from gatewise.training import checkpoint, one_run
from gatewise.training.job import Job
from tests.tasks import make_plan, write_task

EPOCHS = 200  # enough for several seconds
FILES = (runs.WEIGHTS, runs.CURVES, runs.PREDICTIONS)


@pytest.fixture(scope="module")
def cluster():
    """A head that runs nothing, and two nodes with a core each."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray = pytest.importorskip("ray")
    utils = pytest.importorskip("ray.cluster_utils")
    found = utils.Cluster()
    found.add_node(num_cpus=0, object_store_memory=10**8, include_dashboard=False)
    found.workers = [found.add_node(num_cpus=1, object_store_memory=10**8) for _ in range(2)]
    found.wait_for_nodes()
    yield found
    ray.shutdown()
    found.shutdown()


def execution(cluster, **changes):
    return ExecutionConfig(backend="ray", ray_address=cluster.address, **changes)


def expected(root, plan, seed):
    """The run trained here."""
    folder = root / f"here-{seed}"
    folder.mkdir()
    one_run.train(Job(plan, seed, "key", root / "prepared", folder), lambda *_: None)
    return {name: (folder / name).read_bytes() for name in FILES}


class Heard:
    """Counts epochs and, after each, gives `pull` its chance to pull a plug."""

    def __init__(self, pull=lambda: None):
        self.epochs, self.finished, self.failed, self.pull = {}, [], {}, pull

    def run_started(self, seed, key, params):
        assert seed not in self.epochs, "told twice of one start"
        self.epochs[seed] = []

    def epoch(self, seed, epoch, values):
        self.epochs[seed].append(epoch)
        self.pull()

    def run_finished(self, seed, folder):
        self.finished.append(seed)

    def run_failed(self, seed, reason):
        self.failed[seed] = reason


@pytest.mark.weekly
@pytest.mark.slow
def test_a_lost_node_costs_nothing_but_time(cluster, tmp_path, capsys):
    model = VariantConfig(cell="gru", hidden=8, dropout=0.2)
    plan = make_plan(seeds=(0, 1, 2), epochs=EPOCHS, config=model)
    write_task(tmp_path / "prepared")
    pulled = []

    def pull():
        # Once both of the running seeds have sent a checkpoint.
        if not pulled and len(list((tmp_path / "cache").rglob("*.ckpt"))) == 2:
            pulled.append(cluster.workers.pop())
            cluster.remove_node(pulled[0], allow_graceful=False)

    heard = Heard(pull)
    train_variant(
        plan,
        tmp_path / "prepared",
        tmp_path / "target",
        Dispatch("", cluster=execution(cluster)),
        finished=FinishedRuns(tmp_path / "cache" / "runs"),
        observers=[heard],
    )
    assert pulled, "no node was lost"
    said = " ".join(capsys.readouterr().err.split())
    assert "its node was lost; it goes on from its checkpoint on another" in said
    assert sorted(heard.finished) == [0, 1, 2]
    assert heard.failed == {}
    for seed, told in heard.epochs.items():
        assert told == list(range(1, EPOCHS + 1)), "an epoch was told twice or never"
        found = tmp_path / "target" / f"seed-{seed}"
        assert {n: (found / n).read_bytes() for n in FILES} == expected(tmp_path, plan, seed)


def jobs(root, plan):
    """Jobs with folders for their results."""
    write_task(root / "prepared")
    made = []
    for seed in plan.seeds:
        folder = root / f"seed-{seed}"
        folder.mkdir()
        decisive = software.run_digest(plan)
        made.append(Job(plan, seed, "key", root / "prepared", folder, software=decisive))
    return made


class KilledError(Exception):
    """Stands for the end of a process."""


@pytest.mark.weekly
@pytest.mark.slow
@pytest.mark.parametrize("harm", [False, True], ids=["whole", "truncated"])
def test_what_was_begun_elsewhere_goes_on_on_the_cluster(cluster, tmp_path, monkeypatch, harm):
    monkeypatch.setattr(checkpoint, "SHARE", math.inf)  # saved after every epoch
    plan = make_plan(seeds=(0,), epochs=6)
    (job,) = jobs(tmp_path, plan)
    job = dataclasses.replace(job, checkpoint=tmp_path / "run.ckpt")

    def killed(epoch, _values):
        if epoch == 4:
            raise KilledError

    with pytest.raises(KilledError):
        one_run.train(job, killed)
    if harm:
        job.checkpoint.write_bytes(job.checkpoint.read_bytes()[:-100])
    events = list(ray_cluster.train_all([job], "auto", execution(cluster)))
    (resumed,) = [event for event in events if event.kind == "resumed"]
    if harm:
        said = f"the checkpoint {job.checkpoint} is damaged; the run starts anew"
        assert (resumed.epoch, resumed.reason) == (0, said)
    else:
        assert (resumed.epoch, resumed.reason) == (3, "goes on after epoch 3")
    heard = [event.epoch for event in events if event.kind == "epoch"]
    assert heard == list(range(resumed.epoch + 1, 7))
    assert {n: (job.folder / n).read_bytes() for n in FILES} == expected(tmp_path, plan, 0)


def test_a_node_without_the_data_is_sent_them(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_cluster.tempfile, "gettempdir", lambda: str(tmp_path))
    write_task(tmp_path / "prepared")
    digest = ray_cluster.read_json(tmp_path / "prepared" / "task.json")["digest"]
    with ray_cluster._connected(cluster.address) as ray:
        packed = [ray.put(ray_cluster._pack(tmp_path / "prepared"))]
        data = ray_cluster._Data(tmp_path / "not-here", digest, packed)
        for _ in range(2):
            found = data.here()
            assert found == tmp_path / "gatewise-data" / digest
        for path in (tmp_path / "prepared").iterdir():
            assert (found / path.name).read_bytes() == path.read_bytes()
        near = dataclasses.replace(data, folder=tmp_path / "prepared")
        assert near.here() == tmp_path / "prepared"


@pytest.mark.slow
def test_a_run_that_fails_is_named_and_the_others_go_on(cluster, tmp_path):
    good, bad = make_plan(seeds=(0,)), make_plan(seeds=(1,), accelerator="cuda")
    (first,) = jobs(tmp_path, good)
    decisive = software.run_digest(bad)
    second = dataclasses.replace(first, plan=bad, seed=1, software=decisive)
    events = list(ray_cluster.train_all([second, first], 1, execution(cluster)))
    assert [e.job.seed for e in events if e.kind == "finished"] == [0]
    (failed,) = [e for e in events if e.kind == "failed"]
    assert failed.reason.startswith("execution.accelerator is cuda")
    assert runs.RunRecord.read(first.folder).seed == 0


def test_nodes_with_other_software_are_refused(cluster, tmp_path):
    (job,) = jobs(tmp_path, make_plan(seeds=(0,)))
    job = dataclasses.replace(job, software="another")
    events = list(ray_cluster.train_all([job], "auto", execution(cluster)))
    assert [e.kind for e in events] == ["failed"]
    assert "install the same requirements.lock on every node" in events[0].reason


def test_a_run_that_no_node_can_hold_is_refused(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_cluster, "ANSWER_SECONDS", 1)
    many = jobs(tmp_path, make_plan(seeds=(0,), threads=64))
    with pytest.raises(GatewiseError, match=r"64 CPUs .*no node of the Ray cluster has both"):
        list(ray_cluster.train_all(many, "auto", execution(cluster)))


@pytest.mark.weekly
@pytest.mark.slow
def test_stopping_in_the_middle_ends_the_tasks(cluster, tmp_path):
    ray = pytest.importorskip("ray")
    plan = make_plan(seeds=(0, 1), epochs=100_000)
    events = ray_cluster.train_all(jobs(tmp_path, plan), "auto", execution(cluster))
    while next(events).kind != "epoch":
        pass
    events.close()
    assert not ray.is_initialized()
    # Their cores are free again: a short run gets one at once.
    (tmp_path / "later").mkdir()
    short = jobs(tmp_path / "later", make_plan(seeds=(0,)))
    later = [event.kind for event in ray_cluster.train_all(short, "auto", execution(cluster))]
    assert later[-1] == "finished"


def test_an_address_that_does_not_answer_is_named(tmp_path):
    pytest.importorskip("ray")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for wrong in (address, "nowhere"):
            refusal = pytest.raises(GatewiseError, match=f"ray_address {wrong} does not answer")
            with refusal, ray_cluster._connected(wrong):
                pass


def test_ray_is_asked_for_only_where_it_is_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    refusal = pytest.raises(
        GatewiseError, match=r"Ray is not installed; `pip install 'gatewise\[ray"
    )
    with refusal, ray_cluster._connected("auto"):
        pass
