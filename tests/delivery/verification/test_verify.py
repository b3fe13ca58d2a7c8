"""Verification on a project whose one run was really trained: honest, damaged, forged."""

import hashlib
import json
import shutil

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


def test_better_predictions_than_the_weights_give_are_caught_by_execution(copy):
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


def test_what_another_machine_gives_is_within_tolerance(copy, tmp_path):
    original = copy / "runs/toy/gru/seed-0"
    record = RunRecord.read(original)
    again = tmp_path / "again"
    shutil.copytree(original, again)
    near = read_json(again / "run.json")
    near["weights_sha256"] = "1" * 64
    near["metrics"]["test"]["accuracy"] += 0.001
    write_json(again / "run.json", near)
    found = compare(original, record, again)
    assert found.level == "within tolerance"
    near["metrics"]["test"]["accuracy"] += 0.1
    write_json(again / "run.json", near)
    assert compare(original, record, again).level == "different"


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
