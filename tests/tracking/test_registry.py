import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from gatewise.artifacts import runs
from gatewise.cli.main import app
from gatewise.config import TrackingConfig, VariantConfig
from gatewise.delivery.gate import snapshot
from gatewise.errors import GatewiseError
from gatewise.files import read_json, write_json
from gatewise.tracking.mirror import check, mirror
from gatewise.tracking.store import Store
from tests.evidence_runs import pair, summary, task_comparison, whole_comparison
from tests.records import name_files
from tests.serving.test_predictor import card
from tests.tracking.conftest import config, empty_store, write_run  # noqa: F401
from tests.tracking.servers import MlflowServer


def comparison(verdict, gru=0.9, lstm=0.8):
    variants = {
        "gru": summary(gru, gru, macs_per_step=300, parameters=100),
        "lstm": summary(lstm, lstm, macs_per_step=400, parameters=100),
    }
    compared = pair("gru", "lstm", verdict, p_value_holm=0.01)
    return whole_comparison({"digits": task_comparison(variants, compared, title="digits")})


@pytest.fixture
def study(config, tmp_path, monkeypatch):  # noqa: F811
    """A mirrored study of two variants with models."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", config.uri)
    write_study(tmp_path)
    assert mirror(config, "runs").notes == []
    return config


def write_study(tmp_path, newer=0):
    """Two seeds each of two variants, with weights, and their comparison; `newer` are others."""
    import torch
    from safetensors.torch import save_file

    from gatewise.models.classifier import SequenceClassifier
    from gatewise.models.complexity import Sizes

    description = card("frames")
    write_json(tmp_path / "data/prepared/digits/task.json", description.model_dump(mode="json"))
    for name in ("gru", "lstm"):
        for seed in (0, 1):
            variant = VariantConfig(cell=name, hidden=6)
            key = f"{name}-{seed}-{newer}"
            folder = write_run(tmp_path / "runs", name, seed, config=variant, key=key)
            torch.manual_seed(seed)
            model = SequenceClassifier(variant, Sizes.of(description))
            save_file(model.state_dict(), folder / runs.WEIGHTS)
            name_files(folder)
    comparison("undecided", gru=0.7, lstm=0.8).write(tmp_path / "reports/comparison.json")


def described(config):  # noqa: F811
    return Store(config).client.get_registered_model("gatewise-digits").description


def call(*arguments):
    return CliRunner().invoke(app, [*arguments])


@pytest.mark.slow
def test_models_are_logged_promoted_asked_and_rolled_back(study, tmp_path, monkeypatch):
    import mlflow

    assert check(study, "runs") == []
    again = mirror(study, "runs")
    assert (again.added, again.completed, again.notes) == ([], [], [])

    (model, _other) = Store(study).client.search_logged_models(
        experiment_ids=[Store(study).experiment("digits")]
    )
    scored = {metric.key: metric for metric in model.metrics}
    assert scored["test/accuracy"].dataset_name == "digits"
    assert scored["test/accuracy"].dataset_digest == "d" * 36

    # The first challenger meets no champion; the second is not shown to be better.
    first = call("promote", "digits")
    assert first.exit_code == 0, first.output
    assert "digits/lstm/seed-1) is the challenger" in first.output
    assert call("promote", "digits", "--variant", "gru").exit_code == 1
    assert "lstm" in call("champion", "digits").output
    page = described(study)
    assert "**In use for digits**: [version 1](#/models/gatewise-digits/versions/1?" in page
    assert "It is the first champion" in page
    assert "Offered last: [version 2]" in page
    comparison("gru").write(tmp_path / "reports/comparison.json")
    assert call("promote", "digits").exit_code == 0
    shown = call("champion", "digits").output
    assert "models:/gatewise-digits@champion: version 2" in shown
    assert "gru beats lstm" in shown
    assert len(Store(study).client.search_model_versions("name = 'gatewise-digits'")) == 2

    # The registered model answers as the run folder does, bit for bit.
    frames = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
    np.save(tmp_path / "one.npy", frames)
    by_folder = call("predict", "runs/digits/gru/seed-1", "one.npy", "--json")
    assert by_folder.exit_code == 0, by_folder.output
    assert call("predict", "digits", "one.npy", "--json").output == by_folder.output
    assert "probability" in call("predict", "digits", "one.npy").output
    mlflow.set_tracking_uri(study.uri)
    try:
        loaded = mlflow.pyfunc.load_model("models:/gatewise-digits@champion")
    finally:
        mlflow.set_tracking_uri(None)  # which takes the variable away as well
        monkeypatch.setenv("MLFLOW_TRACKING_URI", study.uri)
    import json

    import pandas as pd

    table = loaded.predict(pd.DataFrame({"frames": [frames.tolist()]}))
    assert table["probabilities"][0] == json.loads(by_folder.output)["probabilities"]
    with pytest.raises(mlflow.MlflowException, match=r"must be \(steps, 4\)"):
        loaded.predict(pd.DataFrame({"frames": [[[1.0]]]}))

    assert "`gatewise rollback digits` gives version 1 back." in described(study)
    assert call("rollback", "digits").exit_code == 0
    assert "**In use for digits**: [version 1]" in described(study)
    assert "version 1" in call("champion", "digits").output
    assert isinstance(call("rollback", "digits").exception, GatewiseError)
    comparison("undecided").write(tmp_path / "reports/comparison.json")
    forced = call("promote", "digits", "--variant", "gru", "--force", "smaller")
    assert "and the champion: forced: smaller" in forced.output
    assert "forced: smaller" in call("champion", "digits").output
    assert "champion already" in call("promote", "digits", "--variant", "gru").output

    # A newer run of the champion's variant is no evidence; an override is written down.
    shutil.rmtree(tmp_path / "runs")
    assert "no finished run" in str(call("promote", "digits").exception)
    write_study(tmp_path, newer=1)
    assert mirror(study, "runs").notes == []
    refused = call("promote", "digits", "--variant", "gru")
    assert refused.exit_code == 1
    assert "the champion is none of the runs compared here" in refused.output
    assert call("promote", "digits", "--variant", "gru", "--force", "a bug").exit_code == 0


@pytest.mark.slow
def test_a_remote_registry_works_the_same(empty_store, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    shutil.copy(empty_store, tmp_path / "server.db")
    write_study(tmp_path)
    server = MlflowServer(
        tmp_path,
        *("--backend-store-uri", f"sqlite:///{tmp_path}/server.db"),
        *("--artifacts-destination", str(tmp_path / "kept-by-the-server")),
    )
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    try:
        server.start()
        assert mirror(TrackingConfig(uri=server.uri), "runs").notes == []
        assert not (tmp_path / "mlartifacts").exists(), "artifacts go through the server"
        assert call("promote", "digits").exit_code == 0
        comparison("gru").write(tmp_path / "reports/comparison.json")
        assert call("promote", "digits").exit_code == 0
        assert "version 2" in call("champion", "digits").output
        np.save(tmp_path / "one.npy", np.ones((7, 4), np.float32))
        by_folder = call("predict", "runs/digits/gru/seed-1", "one.npy", "--json")
        assert call("predict", "digits", "one.npy", "--json").output == by_folder.output
        assert call("rollback", "digits").exit_code == 0
        assert "version 1" in call("champion", "digits").output
        server.kill()
        gone = call("champion", "digits")
        assert "does not answer" in str(gone.exception)
    finally:
        server.kill()


@pytest.mark.slow
def test_somebody_elses_model_is_left_alone(study):
    store = Store(study)
    store.client.create_registered_model("gatewise-digits")
    result = call("promote", "digits")
    assert isinstance(result.exception, GatewiseError)
    assert "not of this task" in str(result.exception)


def test_no_model_without_weights_but_a_note(config, tmp_path):  # noqa: F811
    write_run(tmp_path / "runs", "gru", 0)
    outcome = mirror(config, "runs")
    assert len(outcome.notes) == 1
    assert "run `dvc pull`" in outcome.notes[0]


def test_the_best_seed_is_chosen_on_validation(tmp_path):
    for seed, validation, test in [(0, 0.7, 0.9), (1, 0.8, 0.1), (2, 0.8, 0.5)]:
        folder = write_run(tmp_path / "runs", "gru", seed)
        record = read_json(folder / "run.json")
        record["metrics"]["validation"]["accuracy"] = validation
        record["metrics"]["test"]["accuracy"] = test
        write_json(folder / "run.json", record)
    assert snapshot.read(tmp_path, "digits", "here")["gru"].best("accuracy").seed == 1


@pytest.mark.slow
def test_a_moved_projects_champion_answers(study, tmp_path, monkeypatch):
    assert call("promote", "digits").exit_code == 0
    np.save(tmp_path / "one.npy", np.zeros((3, 4), np.float32))
    before = call("predict", "digits", "one.npy", "--json")
    moved = tmp_path.with_name(f"{tmp_path.name}-moved")
    tmp_path.rename(moved)
    monkeypatch.chdir(moved)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{moved}/mlflow.db")
    after = call("predict", "digits", "one.npy", "--json")
    assert after.stdout == before.stdout
    assert check(TrackingConfig(uri=f"sqlite:///{moved}/mlflow.db"), "runs") == []
    assert not tmp_path.exists()
