"""Verification on a project whose one run was really trained: honest, damaged, forged."""

import hashlib
import json
import os
import shutil
import sys

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from gatewise import config
from gatewise.artifacts import plan, runs
from gatewise.artifacts.runs import RunRecord
from gatewise.cli.main import app
from gatewise.delivery.verification import locked_files, rerun
from gatewise.delivery.verification.verify import compare
from gatewise.errors import GatewiseError
from gatewise.execution import warm
from gatewise.files import read_json, write_json
from gatewise.training.scoring import predictions_digest
from tests.delivery.gate.projects import params
from tests.tasks import write_task

pytestmark = pytest.mark.slow


def lock_of(folder, *paths):
    """A `dvc.lock` that vouches for these outputs."""
    outs = [{"path": path, "md5": locked_files.md5(folder / path)} for path in paths]
    stages = {"train@toy-gru": {"cmd": "x", "outs": outs}}
    (folder / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """Two seeds, trained by the same cold process that verification uses."""
    folder = tmp_path_factory.mktemp("verify") / "project"
    params(folder, seeds=2, train={"epochs": 2, "batch_size": 16, "learning_rate": 0.02})
    prepared = write_task(folder / "data/prepared/toy", examples=240)
    study = config.load(folder / "params.yaml")
    (laid,) = plan.lay_out(study)
    cold = tmp_path_factory.mktemp("cold")
    jobs = [
        {
            "plan": laid.model_dump(mode="json"),
            "seed": seed,
            "prepared": str((folder / "data/prepared/toy").resolve()),
            "target": f"seed-{seed}",
        }
        for seed in (0, 1)
    ]
    rerun.execute(jobs, cold, 1)
    (folder / "runs/toy").mkdir(parents=True)
    (folder / "runs/toy/gru").mkdir()
    for seed in (0, 1):
        shutil.move(cold / f"seed-{seed}", folder / "runs/toy/gru" / f"seed-{seed}")
    assert prepared.card.digest
    lock_of(folder, "runs/toy/gru", "data/prepared/toy")
    return folder


@pytest.fixture
def copy(honest, tmp_path, monkeypatch):
    target = tmp_path / "project"
    shutil.copytree(honest, target)
    monkeypatch.chdir(target)
    return target


@pytest.fixture(scope="module")
def address():
    """A process that has imported what executing a run needs."""
    return warm.ensure(os.getpid(), ["gatewise.training.one_run"])


def execute_in(folder):
    os.chdir(folder)
    sys.exit(rerun.main(rerun.REQUEST))


@pytest.fixture
def forked(address, monkeypatch):
    """Portable executions are forks: cold ones take seconds, and are tested elsewhere."""
    cold = rerun.execute

    def execute(jobs, folder, threads, mode="portable", processes=1):
        if mode != "portable" or processes > 1:
            return cold(jobs, folder, threads, mode, processes)
        jobs = [{**job, "plan": {**job["plan"], "instructions": mode}} for job in jobs]
        write_json(folder / rerun.REQUEST, jobs)
        status = warm.fork(address, execute_in, [str(folder)]).wait()
        assert status == 0
        return None

    monkeypatch.setattr(rerun, "execute", execute)


def verify(*arguments):
    return CliRunner().invoke(app, ["verify", *arguments])


def test_an_honest_run_is_bit_exact(copy):
    done = verify("--run", "toy/gru/seed-1", "--exact")
    assert done.exit_code == 0, done.output
    assert "toy/gru/seed-1: bit-exact" in done.output
    found = read_json(copy / "reports/verify.json")
    assert (found["level"], found["forged"], found["checked"]) == ("bit-exact", [], 2)


def test_a_forged_lock_is_caught_without_training(copy):
    lock = yaml.safe_load((copy / "dvc.lock").read_text())
    lock["stages"]["train@toy-gru"]["outs"][0]["md5"] = "0" * 32 + ".dir"
    (copy / "dvc.lock").write_text(yaml.safe_dump(lock))
    done = verify("--sample", "0")
    assert done.exit_code == 1
    assert "train@toy-gru: output runs/toy/gru is" in done.output
    assert "the lock claims 000000000000" in done.output


def test_better_predictions_than_the_weights_give_are_caught_by_execution(copy, forked):
    """Everything is forged to fit: predictions, run.json and the lock. Only running it tells."""
    folder = copy / "runs/toy/gru/seed-0"
    table = pd.read_parquet(folder / runs.PREDICTIONS)
    table["predicted"] = table["label"]
    table["probabilities"] = [
        [0.9 if k == label else 0.05 for k in range(3)] for label in table["label"]
    ]
    table.to_parquet(folder / runs.PREDICTIONS, index=False)
    record = read_json(folder / "run.json")
    record["predictions_sha256"] = predictions_digest(table)
    record["metrics"]["test"]["accuracy"] = 1.0
    write_json(folder / "run.json", record)
    lock_of(copy, "runs/toy/gru", "data/prepared/toy")
    assert verify("--sample", "0").exit_code == 0, "the claims fit each other"
    done = verify("--run", "toy/gru/seed-0")
    assert done.exit_code == 1
    assert "toy/gru/seed-0: different" in done.output


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda f: (f / "weights.safetensors").write_bytes(other_weights(f)),
            "the weights are not",
        ),
        (lambda f: (f / "predictions.parquet").unlink(), "predictions.parquet is missing"),
        (lambda f: claim_accuracy(f, 0.999), "run.json claims 0.9990"),
    ],
)
def test_a_record_that_its_files_do_not_bear_out_is_named(copy, spoil, said):
    folder = copy / "runs/toy/gru/seed-0"
    spoil(folder)
    lock_of(copy, "runs/toy/gru", "data/prepared/toy")
    done = verify("--sample", "0")
    assert done.exit_code == 1
    assert said in done.output


def other_weights(folder):
    from safetensors.torch import load_file, save

    state = load_file(folder / "weights.safetensors")
    name = sorted(state)[0]
    return save({**state, name: state[name] + 1})


def claim_accuracy(folder, value):
    record = read_json(folder / "run.json")
    record["metrics"]["test"]["accuracy"] = value
    write_json(folder / "run.json", record)


def again_with(copy, folder, moved=0.0, **fields):
    """Seed 0's folder as another execution might leave it."""
    shutil.copytree(copy / "runs/toy/gru/seed-0", folder)
    changed = read_json(folder / "run.json")
    changed["weights_sha256"] = "1" * 64
    changed["metrics"]["test"]["accuracy"] += moved
    write_json(folder / "run.json", {**changed, **fields})
    return folder


@pytest.mark.parametrize(
    ("moved", "spread", "level"),
    [
        (0.001, 0.0, "within tolerance"),
        (0.1, 0.2, "within the spread of seeds"),
        (0.1, 0.05, "different"),
    ],
)
def test_another_kind_of_machine_may_differ_as_seeds_do(copy, tmp_path, moved, spread, level):
    original = copy / "runs/toy/gru/seed-0"
    again = again_with(copy, tmp_path / "again", moved)
    machine = ["this processor has no avx2"]
    found = compare(original, RunRecord.read(original), again, machine, spread)
    assert found.level == level
    assert any("this processor has no avx2" in detail for detail in found.details)


def test_without_an_excuse_other_bits_are_different_however_near(copy, tmp_path):
    original = copy / "runs/toy/gru/seed-0"
    again = again_with(copy, tmp_path / "again")
    found = compare(original, RunRecord.read(original), again, spread=1.0)
    assert found.level == "different"
    assert "nothing excuses that" in found.details


def test_other_libraries_are_an_excuse_and_named(copy, tmp_path):
    original = copy / "runs/toy/gru/seed-0"
    record = RunRecord.read(original)
    versions = {**record.versions, "torch": "0.0.1"}
    found = compare(original, record, again_with(copy, tmp_path / "again", versions=versions))
    assert found.level == "within tolerance"
    assert "expected, since other versions of torch" in found.details


def test_a_native_run_that_a_plain_machine_made_is_found_by_computing_portably(copy, forked):
    """An AVX2 machine gives natively what any other gives portably."""
    path = copy / "runs/toy/gru/seed-1/run.json"
    write_json(path, {**read_json(path), "instructions": "native"})
    lock_of(copy, "runs/toy/gru", "data/prepared/toy")
    done = verify("--run", "toy/gru/seed-1", "--exact")
    assert done.exit_code == 0, done.output
    assert "toy/gru/seed-1: bit-exact" in done.output


def test_a_native_claim_beyond_the_spread_is_caught(copy, forked):
    path = copy / "runs/toy/gru/seed-0/run.json"
    record = read_json(path)
    table = pd.read_parquet(path.parent / runs.PREDICTIONS)
    table["predicted"] = table["label"]
    table.to_parquet(path.parent / runs.PREDICTIONS, index=False)
    record |= {"instructions": "native", "predictions_sha256": predictions_digest(table)}
    record["metrics"]["test"]["accuracy"] = 1.0
    write_json(path, record)
    lock_of(copy, "runs/toy/gru", "data/prepared/toy")
    done = verify("--run", "toy/gru/seed-0")
    assert done.exit_code == 1
    assert "the other seeds lie only" in done.output


def test_stages_that_the_pipeline_no_longer_has_are_named_and_not_counted(copy):
    lock = yaml.safe_load((copy / "dvc.lock").read_text())
    gone = {"cmd": "x", "outs": [{"path": "runs/toy/lstm", "md5": "0" * 32 + ".dir"}]}
    lock["stages"]["train@toy-lstm"] = gone
    (copy / "dvc.lock").write_text(yaml.safe_dump(lock))
    assert verify("--sample", "0").exit_code == 1, "without a pipeline every stage counts"
    stage = {"matrix": {"task": ["toy"], "variant": ["gru"]}, "cmd": "x"}
    (copy / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"train": stage}}))
    (copy / ".dvc").mkdir()
    (copy / ".dvc/config").write_text("[core]\n    no_scm = true\n")
    done = verify("--sample", "0")
    assert done.exit_code == 0, done.output
    assert "not of this pipeline any more, and not looked at: train@toy-lstm" in done.output


def test_what_keeps_it_from_running_is_code_3(copy):
    done = verify("--run", "toy/gru/seed-9")
    assert done.exit_code == 3
    assert "no run of this study" in done.output
    (copy / "dvc.lock").write_text("{[")
    assert verify("--sample", "0").exit_code == 3
    shutil.rmtree(copy / "runs")
    done = verify()
    assert done.exit_code == 3
    assert "no finished run" in done.output


def test_a_run_that_fails_again_says_why(copy, tmp_path):
    (tmp_path / "empty").mkdir()
    laid = plan.lay_out(config.load())[0].model_dump(mode="json")
    job = {"plan": laid, "seed": 0, "prepared": str(tmp_path / "nowhere"), "target": "x"}
    with pytest.raises(
        GatewiseError, match=r"could not be executed again: .*nowhere: no prepared task"
    ):
        rerun.execute([job], tmp_path / "empty", 1)


def test_digests_are_those_of_dvc(tmp_path):
    (tmp_path / "folder/deep").mkdir(parents=True)
    (tmp_path / "folder/b.txt").write_text("two")
    (tmp_path / "folder/deep/a.txt").write_text("one")
    one, two = (hashlib.md5(text).hexdigest() for text in (b"one", b"two"))
    listed = [{"md5": two, "relpath": "b.txt"}, {"md5": one, "relpath": "deep/a.txt"}]
    wanted = hashlib.md5(json.dumps(listed).encode()).hexdigest() + ".dir"
    assert locked_files.md5(tmp_path / "folder") == wanted
    compiled = tmp_path / "folder/deep/__pycache__/a.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"of this machine alone")
    assert locked_files.md5(tmp_path / "folder") == wanted


@pytest.mark.weekly
@pytest.mark.slow
def test_a_run_of_two_processes_is_executed_by_two(tmp_path, monkeypatch, forked):
    """Each process draws its own dropout masks, so one alone would give other weights."""
    folder = tmp_path / "project"
    params(
        folder,
        seeds=1,
        train={"epochs": 2, "batch_size": 16, "learning_rate": 0.02},
        execution={"devices": 2},
    )
    study = yaml.safe_load((folder / "params.yaml").read_text())
    study["tasks"]["toy"]["model"] = {"dropout": 0.5}
    (folder / "params.yaml").write_text(yaml.safe_dump(study))
    prepared = folder / "data/prepared/toy"
    write_task(prepared, examples=120)
    (laid,) = plan.lay_out(config.load(folder / "params.yaml"))
    job = {"plan": laid.model_dump(mode="json"), "seed": 0, "prepared": str(prepared.resolve())}
    cold = tmp_path / "cold"
    cold.mkdir()
    rerun.execute([{**job, "target": "two"}], cold, 1, processes=2)
    rerun.execute([{**job, "target": "one"}], cold, 1)
    two, one = (RunRecord.read(cold / name) for name in ("two", "one"))
    assert (two.processes, one.processes) == (2, 1)
    assert two.weights_sha256 != one.weights_sha256
    (folder / "runs/toy/gru").mkdir(parents=True)
    shutil.move(cold / "two", folder / "runs/toy/gru/seed-0")
    lock_of(folder, "runs/toy/gru", "data/prepared/toy")
    monkeypatch.chdir(folder)
    done = verify("--run", "toy/gru/seed-0", "--exact")
    assert done.exit_code == 0, done.output
    assert "toy/gru/seed-0: bit-exact" in done.output
