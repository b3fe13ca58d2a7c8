"""Synthetic run folders: what training would leave, with chosen scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from gatewise import config
from gatewise.artifacts.runs import CURVES, PREDICTIONS, RunRecord
from gatewise.files import digest, write_json

LABELS = ["no", "yes", "maybe"]


def study(
    variants: tuple[str, ...] = ("lstm", "gru"), tasks: tuple[str, ...] = ("toy",), **keys
) -> config.Study:
    """A study over frames data; `keys` go to its top level (`seeds`, `compare`)."""
    config_task = {"source": {"kind": "digits"}, "features": {"kind": "frames"}}
    return config.Study.model_validate(
        {
            "tasks": dict.fromkeys(tasks, config_task),
            "variants": {v: {"cell": "gru", "hidden": 4} for v in variants},
            "compare": {"primary": [["gru", "lstm"]], "resamples": 500},
            **keys,
        }
    )


def record(task: str, variant: str, seed: int, score: float, **changes) -> RunRecord:
    """A run record with the test accuracy `score`."""
    metrics = {"accuracy": score, "macro_f1": score, "loss": 1.0 - score}
    fields = {
        "task": task,
        "variant": variant,
        "seed": seed,
        "key": digest([task, variant, seed]),
        "plan_sha256": digest([task, variant]),
        "software_sha256": "0",
        "config": {"cell": "gru", "hidden": 4},
        "budget": "hidden 4 as written",
        "kernel": "fused",
        "parameters": 1234,
        "recurrent_parameters": 1000,
        "macs_per_step": 900,
        "train": {},
        "split": {},
        "augment": None,
        "metric": "accuracy",
        "threads": 1,
        "accelerator": "cpu",
        "precision": "32-true",
        "epochs_run": 3,
        "best_epoch": 3,
        "metrics": {
            "train": {**metrics, "accuracy": score + 0.01},
            "validation": metrics,
            "test": metrics,
        },
        "weights_sha256": "0",
        "predictions_sha256": "0",
        "data": {"digest": task},
        "versions": {"torch": "2"},
    }
    return RunRecord.model_validate({**fields, **changes})


def predictions(
    score: float, seed: int, examples: int = 60, groups: int = 6, classes: int = 3
) -> pd.DataFrame:
    """Test predictions of which the share `score` is right; test set fixed by `seed`."""
    rng = np.random.default_rng(seed)
    label = rng.integers(classes, size=examples)
    right = rng.permutation(examples) < round(score * examples)
    predicted = np.where(right, label, (label + 1) % classes)
    probabilities = np.full((examples, classes), 0.1 / (classes - 1), dtype=np.float32)
    probabilities[np.arange(examples), predicted] = 0.9
    return pd.DataFrame(
        {
            "id": [f"{i:05d}" for i in range(examples)],
            "group": [f"speaker-{i % groups}" for i in range(examples)],
            "label": label,
            "predicted": predicted,
            "probabilities": list(probabilities),
        }
    )


def write_run(
    root: Path, run: RunRecord, examples: int = 60, split_seed: int = 0, groups: int = 6
) -> Path:
    """Write `runs/<task>/<variant>/seed-<n>/` below `root`."""
    folder = root / "runs" / run.name
    folder.mkdir(parents=True)
    run.write(folder)
    score = run.metrics["test"]["accuracy"]
    predictions(score, split_seed, examples, groups).to_parquet(folder / PREDICTIONS, index=False)
    epochs = np.arange(1, run.epochs_run + 1)
    pd.DataFrame(
        {
            "epoch": epochs,
            "learning_rate": 0.001,
            "gradient_norm": 1.0,
            "train_loss": 1.0 / epochs,
            "validation_loss": 1.1 / epochs,
            "validation_accuracy": score * epochs / run.epochs_run,
            "validation_macro_f1": score * epochs / run.epochs_run,
        }
    ).to_csv(folder / CURVES, index=False)
    return folder


def write_card(root: Path, task: str, synthetic: bool = False) -> None:
    """Write the part of `task.json` that evidence reads."""
    folder = root / "data" / "prepared" / task
    folder.mkdir(parents=True, exist_ok=True)
    card = {"task": task, "title": f"{task} made up", "synthetic": synthetic, "labels": LABELS}
    write_json(folder / "task.json", card)
