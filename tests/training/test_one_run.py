import math

import pandas as pd
import pytest
import torch

from gatewise.artifacts import runs
from gatewise.artifacts.objectives.classify import Objective
from gatewise.artifacts.prepared import Prepared
from gatewise.config import VariantConfig
from gatewise.errors import DivergedError, GatewiseError
from gatewise.tracking import content
from gatewise.training import fit, one_run
from gatewise.training.datamodule import TaskData
from gatewise.training.job import Job
from tests.tasks import make_plan, write_task


def train(folder, plan, seed=0, *, text=False, name="run", **task):
    """Train into `folder/name` and give the record and what was heard while training."""
    prepared = folder / "prepared"
    if not prepared.exists():
        write_task(prepared, text=text, **task)
    target = folder / name
    target.mkdir()
    heard = []
    record = one_run.train(
        Job(plan, seed, "key", prepared, target),
        lambda epoch, values: heard.append((epoch, values)),
    )
    return record, heard


@pytest.mark.parametrize("text", [False, True], ids=["frames", "text"])
def test_a_run_learns_and_leaves_the_files_it_promises(tmp_path, text):
    record, heard = train(tmp_path, make_plan(epochs=12), text=text)
    assert record.metrics["test"]["accuracy"] > 0.9
    folder = tmp_path / "run"
    assert {p.name for p in folder.iterdir()} == {
        runs.WEIGHTS,
        runs.CURVES,
        runs.PREDICTIONS,
        runs.RECORD,
    }
    assert runs.RunRecord.read(folder) == record

    curves = runs.read_curves(folder)
    scored = {f"validation_{name}" for name in ("loss", *Objective.metrics)}
    assert set(curves) == {"epoch", "learning_rate", "gradient_norm", "train_loss", *scored}
    assert set(curves) - {"epoch"} <= {*content.CURVES}  # what MLflow takes for curves
    assert list(curves["epoch"]) == [epoch for epoch, _ in heard] == list(range(1, 13))
    best = curves.sort_values(["validation_accuracy", "validation_loss"], ascending=[False, True])
    assert best["epoch"].iloc[0] == record.best_epoch
    # The best weights are the ones that were kept and scored.
    assert record.metrics["validation"]["loss"] == pytest.approx(
        best["validation_loss"].iloc[0], rel=1e-5
    )
    assert curves["learning_rate"].iloc[-1] < 1e-4

    table = pd.read_parquet(folder / runs.PREDICTIONS)
    assert len(table) == record.data.examples["test"]
    assert (table["predicted"] == table["label"]).mean() == pytest.approx(
        record.metrics["test"]["accuracy"]
    )
    assert all(math.isclose(sum(p), 1, abs_tol=1e-5) for p in table["probabilities"])
    assert table["id"].is_monotonic_increasing


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_same_run_twice_gives_the_same_bytes(tmp_path, cell):
    model = VariantConfig(cell=cell, hidden=8, layers=2, dropout=0.2)
    plan = make_plan(cell, config=model)
    first, _ = train(tmp_path, plan, name="first")
    torch.rand(17)  # whatever ran before in this process must not matter
    second, _ = train(tmp_path, plan, name="second")
    assert first == second
    for name in (runs.WEIGHTS, runs.CURVES, runs.PREDICTIONS, runs.RECORD):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    other, _ = train(tmp_path, plan, seed=1, name="other")
    assert other.weights_sha256 != first.weights_sha256


def test_runs_of_one_seed_meet_the_same_test_examples(tmp_path):
    for cell in ("lstm", "gru"):
        train(tmp_path, make_plan(cell), seed=3, name=cell, resample=True)
    train(tmp_path, make_plan("gru"), seed=5, name="other")
    ids = {
        name: list(pd.read_parquet(tmp_path / name / runs.PREDICTIONS)["id"])
        for name in ("lstm", "gru", "other")
    }
    assert ids["lstm"] == ids["gru"] != ids["other"]


def test_chrono_prepares_for_the_longest_training_sequence(tmp_path):
    given = make_plan(config=VariantConfig(cell="gru", hidden=8, init="chrono", chrono_steps=5))
    assert train(tmp_path, given, name="given")[0].config.chrono_steps == 5
    left_out = make_plan(config=VariantConfig(cell="gru", hidden=8, init="chrono"))
    found = train(tmp_path, left_out, name="left-out")[0].config.chrono_steps
    data = TaskData(Prepared.open(tmp_path / "prepared"), 0, 16, None)
    assert found == data.clean_sequences.lengths[data.rows["train"]].max()


def test_early_stopping_keeps_the_best_epoch(tmp_path):
    record, heard = train(
        tmp_path,
        make_plan(epochs=60, patience=2, schedule="constant", learning_rate=0.2),
        noise=3.0,
    )
    assert record.epochs_run == len(heard) < 60
    assert record.best_epoch == record.epochs_run - 2


def test_a_diverging_run_says_so(tmp_path):
    with pytest.raises(GatewiseError, match=r"diverged in epoch 1 .*learning_rate"):
        train(tmp_path, make_plan(learning_rate=1e30, schedule="constant"))


def test_a_loss_that_stays_finite_at_any_height_diverged_too(tmp_path):
    lstm = make_plan("lstm", learning_rate=1e30, schedule="constant")
    with pytest.raises(DivergedError, match="training diverged"):
        train(tmp_path, lstm)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the accelerator")
def test_an_absent_accelerator_is_named(tmp_path):
    with pytest.raises(GatewiseError, match=r"execution.accelerator is cuda"):
        train(tmp_path, make_plan(accelerator="cuda"))


def test_a_replica_differs_in_its_initial_weights_alone(tmp_path):
    plan = make_plan(epochs=1)
    again = plan.model_copy(update={"config": plan.config.model_copy(update={"replica": 1})})
    first, _ = train(tmp_path, plan, name="first")
    second, _ = train(tmp_path, again, name="second")
    assert first.weights_sha256 != second.weights_sha256
    assert first.parameters == second.parameters
    assert first.data == second.data


def test_a_share_of_the_training_data_leaves_the_test_as_it_is(tmp_path):
    plan = make_plan(epochs=1)
    less = plan.model_copy(update={"train": plan.train.model_copy(update={"fraction": 0.5})})
    whole, _ = train(tmp_path, plan, name="whole")
    half, _ = train(tmp_path, less, name="half")
    examples, fewer = whole.data.examples, half.data.examples
    assert fewer["train"] == pytest.approx(examples["train"] / 2, abs=2)
    assert fewer["test"] == examples["test"]


def test_compiling_needs_a_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(GatewiseError, match=r"execution.compile needs .* no no-such-compiler"):
        train(tmp_path, make_plan().model_copy(update={"compile": True}))


def test_a_fused_kernel_leaves_nothing_to_compile(tmp_path, monkeypatch):
    monkeypatch.setattr(fit, "check_compiler", lambda: None)
    plan = make_plan("lstm", epochs=1)
    eager, _ = train(tmp_path, plan, name="eager")
    compiled, _ = train(tmp_path, plan.model_copy(update={"compile": True}), name="compiled")
    assert eager == compiled.model_copy(update={"plan_sha256": eager.plan_sha256})


def test_a_run_is_no_task_of_the_job_it_is_started_in(tmp_path, monkeypatch):
    for name, value in {
        "SLURM_NTASKS": "8",
        "SLURM_JOB_NAME": "study",
        "SLURM_PROCID": "3",
    }.items():
        monkeypatch.setenv(name, value)
    record, _ = train(tmp_path, make_plan(epochs=1))
    assert record.processes == 1
    assert (tmp_path / "run" / runs.RECORD).exists()
