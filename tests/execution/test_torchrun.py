"""Two processes that train a run together, started by the real torchrun."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import psutil
import pytest
import yaml

from gatewise.artifacts import plan, runs, tuned
from gatewise.artifacts.tuned import Tuned
from gatewise.config import Augment, ExecutionConfig, TrackingConfig
from gatewise.errors import GatewiseError
from gatewise.execution import torchrun, warm
from gatewise.tracking import names
from gatewise.tracking.store import Store
from tests.tasks import make_plan, write_task

EPOCHS = 24
MLFLOW = ("mlflow.tracking", "mlflow.store.tracking.sqlalchemy_store")
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def write_study(folder, run_plan, *, tracked, **execution):
    """A checkout whose stage `train` can run."""
    write_task(folder / "data/prepared/toy", examples=139)
    path = folder / plan.path("toy", "gru", "data/plan")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(run_plan.model_dump(mode="json")))
    Tuned(task="toy", variant="gru", metric="accuracy").write(folder / tuned.path("toy", "gru"))
    study = {
        "tasks": {"toy": {"source": {"kind": "digits"}, "features": {"kind": "frames"}}},
        "variants": {"gru": {"cell": "gru", "hidden": 8}},
        "execution": execution,
        "tracking": {"enabled": tracked},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(study))


def started(folder, project, address, *launcher):
    """The stage as under `dvc repro`, beside a warm process."""
    paths = os.pathsep.join([str(project / "src"), str(project)])
    environment = {**os.environ, "PYTHONPATH": paths, warm.ADDRESS: address}
    return subprocess.Popen(
        [sys.executable, *launcher, "-m", "pipeline.train", "toy", "gru"],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def stage(folder, project, address, *launcher):
    """Run the stage to its end; give its status and words."""
    process = started(folder, project, address, *launcher)
    _, said = process.communicate()
    return process.returncode, said


def kill_within_a_run(folder, project, address):
    """Kill what launches the processes, and nothing else, after some epochs of a run."""
    process = started(folder, project, address, *TORCHRUN)
    while not list(folder.glob(".gatewise/checkpoints/*.ckpt")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.002)
    # Not before: while torchrun starts, it has children that come and go.
    workers = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    process.stderr.close()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert len(workers) == 2
    assert alive == [], "they would train beside those of the next attempt"


@pytest.mark.slow
def test_two_processes_train_as_one_does(tmp_path, project, monkeypatch):
    monkeypatch.delenv(warm.ADDRESS, raising=False)
    address = warm.ensure(os.getpid(), ["gatewise.training.work", *MLFLOW])
    # Batches of 7 and, at the end of an epoch, of 1: shares are unequal, or nothing at all.
    plans = make_plan(
        "gru", seeds=(0, 1), epochs=EPOCHS, batch_size=7, augment=Augment(gain_db=(-3, 3))
    )
    alone, together = tmp_path / "alone", tmp_path / "together"
    write_study(alone, plans, tracked=False)
    write_study(together, plans, tracked=True, devices=2)
    # Runs this short would be over before MLflow has made its tables.
    store = Store(TrackingConfig(uri=f"sqlite:///{together}/mlflow.db"))
    status, said = stage(alone, project, address)
    assert status == 0, said
    status, said = stage(together, project, address, *TORCHRUN)
    assert status == 0, said
    assert said.count("seed 0: test accuracy") == 1, "both processes show progress"

    for seed in plans.seeds:
        one, two = (folder / f"runs/toy/gru/seed-{seed}" for folder in (alone, together))
        first, second = runs.read_curves(one), runs.read_curves(two)
        assert len(first) == EPOCHS
        np.testing.assert_allclose(first.to_numpy(), second.to_numpy(), rtol=1e-3, atol=1e-5)
        records = runs.RunRecord.read(one), runs.RunRecord.read(two)
        assert [record.processes for record in records] == [1, 2]
        assert records[0].key == records[1].key, "execution changes what is finished"
        assert records[0].weights_sha256 != records[1].weights_sha256, "only one process computed"
        tables = pd.read_parquet(one / runs.PREDICTIONS), pd.read_parquet(two / runs.PREDICTIONS)
        np.testing.assert_allclose(
            *(np.stack(list(table["probabilities"])) for table in tables), atol=1e-3
        )

    # One MLflow run a seed, below one for the variant; each with the points of one process.
    stored = {run.info.run_name: run for run in store.all_runs("toy").values()}
    assert sorted(stored) == ["toy/gru", "toy/gru/seed-0", "toy/gru/seed-1"], said
    for seed in plans.seeds:
        run = stored[f"toy/gru/seed-{seed}"]
        assert run.info.status == "FINISHED"
        assert run.data.params["processes"] == "2"
        points = store.client.get_metric_history(run.info.run_id, names.curve("train_loss"))
        assert sorted(point.step for point in points) == list(range(1, EPOCHS + 1))

    killed = tmp_path / "killed"
    write_study(killed, plans, tracked=False, devices=2)
    kill_within_a_run(killed, project, address)
    status, said = stage(killed, project, address, *TORCHRUN)
    assert status == 0, said
    assert said.count("goes on after epoch") == 1, said
    for seed in plans.seeds:
        run = f"runs/toy/gru/seed-{seed}"
        whole, resumed = (runs.RunRecord.read(folder / run) for folder in (together, killed))
        assert whole.weights_sha256 == resumed.weights_sha256

    # Finished is finished, whoever asks.
    assert stage(together, project, address)[1].count("finished before: seed 0, 1") == 1


@pytest.fixture
def launched(monkeypatch):
    """As if this process were the first of those that torchrun started."""

    def start(size, local):
        for name, value in {
            "TORCHELASTIC_RUN_ID": "none",
            "RANK": 0,
            "WORLD_SIZE": size,
            "LOCAL_WORLD_SIZE": local,
        }.items():
            monkeypatch.setenv(name, str(value))

    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    monkeypatch.setattr(torchrun, "cores", lambda: 4)
    return start


def test_what_torchrun_started_has_to_be_what_the_study_says(launched):
    launched(4, 2)
    torchrun.check(ExecutionConfig(devices=2, num_nodes=2), make_plan())
    for devices, nodes in ((1, 1), (4, 1), (2, 1)):
        with pytest.raises(
            GatewiseError,
            match=f"2 processes on this machine and 4 in all, but execution.devices is {devices} "
            f".*--nproc-per-node {devices} --nnodes {nodes}",
        ):
            torchrun.check(ExecutionConfig(devices=devices, num_nodes=nodes), make_plan())


def test_more_processes_than_rows_or_cores_are_refused(launched):
    with pytest.raises(GatewiseError, match=r"4 processes .*batches of 3 .*nothing to do"):
        torchrun.check(ExecutionConfig(devices=4), make_plan(batch_size=3))
    with pytest.raises(GatewiseError, match=r"devices is 4, .*has room for 2 processes"):
        torchrun.check(ExecutionConfig(devices=4), make_plan(threads=2))


def test_the_stage_becomes_torchrun_on_one_machine_and_explains_it_on_more(launched, monkeypatch):
    became = []
    monkeypatch.setattr(torchrun.os, "execve", lambda *call: became.append(call))
    torchrun.launch(ExecutionConfig(devices=3), make_plan(), ["pipeline.train", "toy", "gru"])
    ((program, command, environment),) = became
    assert program == command[0] == sys.executable
    assert command[-5:] == ["3", "-m", "pipeline.train", "toy", "gru"]
    assert environment["OMP_NUM_THREADS"] == "1"
    with pytest.raises(GatewiseError, match=r"--nnodes 2 --nproc-per-node 3 .*train toy gru"):
        torchrun.launch(
            ExecutionConfig(devices=3, num_nodes=2), make_plan(), ["pipeline.train", "toy", "gru"]
        )
