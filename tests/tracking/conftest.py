import csv
import shutil
from pathlib import Path

import pytest

from gatewise.artifacts import runs
from gatewise.artifacts.runs import RunRecord
from gatewise.config import TrackingConfig, VariantConfig
from gatewise.tracking.content import CURVES


def write_run(root: Path, variant: str = "gru", seed: int = 0, epochs: int = 3, **changes) -> Path:
    """A run folder as training leaves it, but for weights and predictions."""
    folder = root / "digits" / variant / f"seed-{seed}"
    folder.mkdir(parents=True)
    with (folder / runs.CURVES).open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["epoch", *CURVES])
        for epoch in range(1, epochs + 1):
            rows.writerow([epoch, *(seed + 1 / (epoch + i) for i in range(len(CURVES)))])
    scores = {"accuracy": 0.5 + seed / 100, "macro_f1": 0.4, "loss": 1.25}
    record = RunRecord(
        **{
            "task": "digits",
            "variant": variant,
            "seed": seed,
            "key": f"{variant}-{seed}",
            "plan_sha256": f"plan of {variant}",
            "software_sha256": "s" * 64,
            "config": VariantConfig(cell=variant, hidden=16),
            "budget": "16 units as given",
            "kernel": "fused",
            "parameters": 1234,
            "recurrent_parameters": 1000,
            "macs_per_step": 999,
            "train": {"epochs": epochs, "learning_rate": 0.01},
            "split": {},
            "augment": None,
            "metric": "accuracy",
            "threads": 1,
            "accelerator": "cpu",
            "precision": "32-true",
            "epochs_run": epochs,
            "best_epoch": 2,
            "metrics": {"train": scores, "validation": scores, "test": scores},
            "weights_sha256": "w" * 64,
            "predictions_sha256": "p" * 64,
            "data": {"digest": "d" * 64, "examples": {"train": 8, "test": 2}},
            "versions": {"torch": "2.14.1"},
            **changes,
        }
    )
    record.write(folder)
    return folder


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory) -> Path:
    """A SQLite store as MLflow creates it; its migrations take seconds, so it is copied."""
    from gatewise.tracking.store import Store

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    Store(TrackingConfig(uri=f"sqlite:///{path}"))
    return path


@pytest.fixture
def config(empty_store, tmp_path, monkeypatch) -> TrackingConfig:
    """An empty store of the test's own; the working directory is the test's too."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    return TrackingConfig(uri=f"sqlite:///{tmp_path}/mlflow.db")


@pytest.fixture
def folders(tmp_path) -> Path:
    """Two seeds each of two variants."""
    for variant in ("gru", "lstm"):
        for seed in (0, 1):
            write_run(tmp_path / "runs", variant, seed)
    return tmp_path / "runs"
