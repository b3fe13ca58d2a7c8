"""Synthetic run folders: what training would leave, with chosen scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from gatewise import config
from gatewise.artifacts.answer import Answer
from gatewise.artifacts.comparison import (
    Comparison,
    Pair,
    TaskComparison,
    TaskMetric,
    VariantSummary,
)
from gatewise.artifacts.costs import CostReport, Structure, Timing, VariantCost
from gatewise.artifacts.prepared import CARD, TaskCard
from gatewise.artifacts.runs import CURVES, PREDICTIONS, RunRecord
from gatewise.config.metrics import METRICS
from gatewise.evidence import ranking
from gatewise.files import digest, write_json
from tests.records import name_files

LABELS = ["no", "yes", "maybe"]


def study(
    variants: tuple[str, ...] = ("lstm", "gru"),
    tasks: tuple[str, ...] = ("toy",),
    metric: str = "accuracy",
    **keys,
) -> config.Study:
    """A study over frames data; `keys` go to its top level (`seeds`, `compare`)."""
    config_task = {
        "source": {"kind": "digits"},
        "features": {"kind": "frames"},
        "metric": metric,
    }
    return config.Study.model_validate(
        {
            "tasks": dict.fromkeys(tasks, config_task),
            "variants": {v: {"cell": "gru", "hidden": 4} for v in variants},
            "compare": {"primary": [["gru", "lstm"]], "resamples": 500},
            **keys,
        }
    )


def record(task: str, variant: str, seed: int, score: float, **changes) -> RunRecord:
    """A run record with the test accuracy `score`; log loss falls as that rises."""
    metrics = dict.fromkeys(("accuracy", "macro_f1", "balanced_accuracy"), score)
    metrics |= dict.fromkeys(("loss", "log_loss"), 1.0 - score)
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
            "train": {**metrics, "accuracy": score + 0.01, "log_loss": 0.99 - score},
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
            "validation_balanced_accuracy": score * epochs / run.epochs_run,
            "validation_log_loss": 1.1 - score * epochs / run.epochs_run,
        }
    ).to_csv(folder / CURVES, index=False)
    name_files(folder)
    return folder


def write_card(root: Path, task: str, synthetic: bool = False) -> None:
    """Write `task.json`."""
    folder = root / "data" / "prepared" / task
    folder.mkdir(parents=True, exist_ok=True)
    card = TaskCard(
        task=task,
        modality="frames",
        title=f"{task} made up",
        synthetic=synthetic,
        licence="none",
        labels=LABELS,
        features=4,
        vocabulary=None,
        normalise="none",
        front_end={"kind": "frames"},
        resample=False,
        split={},
        metric="accuracy",
        digest=task,
    )
    write_json(folder / CARD, card.model_dump(mode="json"))


def timing(*rounds: float) -> Timing:
    """A timing of these rounds, in milliseconds."""
    q1, median, q3 = np.percentile(rounds, [25, 50, 75])
    return Timing(median=median, q1=q1, q3=q3, rounds=rounds)


def variant_cost(*steps: float) -> VariantCost:
    """A variant whose training steps took these milliseconds."""
    return VariantCost(
        kernel="fused",
        structure=Structure(gates=("r", "z"), states=("h",)),
        train_step_ms=timing(*steps),
        inference_ms_batch_1=timing(1.0, 1.5, 2.0),
        inference_ms_batch_64=timing(10.0),
        streaming_step_ms=None,
        share_of_peak=0.5,
        train_seconds_per_epoch=2.5,
        peak_memory_mb=300.0,
        size_bytes=4000,
        macs_per_step=900,
        parameters=1234,
    )


def cost_report(**variants: VariantCost) -> CostReport:
    """The costs of these variants on some machine."""
    return CostReport(
        task="toy",
        device="cpu (some processor)",
        threads=1,
        versions={"torch": "2"},
        variants=variants,
    )


def summary(*values: float, **changes) -> VariantSummary:
    """A variant's entry in a comparison with these test scores."""
    mean = float(np.mean(values))
    fields = {
        "mean": mean,
        "std": 0.01 if len(values) > 1 else None,
        "ci": (mean - 0.01, mean + 0.01) if len(values) > 1 else None,
        "values": values,
        "seeds": range(len(values)),
        "parameters": 1234,
        "recurrent_parameters": 1000,
        "macs_per_step": 900,
        "hidden": 4,
        "cell": "gru",
        "budget": "hidden 4 as written",
        "kernel": "fused",
    }
    return VariantSummary.model_validate({**fields, **changes})


def pair(a: str, b: str, verdict: str = "undecided", **changes) -> Pair:
    """A primary pair with its verdict."""
    fields = {
        "a": a,
        "b": b,
        "primary": True,
        "seeds": (0, 1),
        "difference": 0.02,
        "std": 0.01,
        "ci": (0.01, 0.03),
        "p_value": 0.5,
        "p_superiority": 1.0,
        "p_superiority_ci": (0.2, 1.0),
        "effect_size": None,
        "almost_stochastic_order": {a: 0.1, b: 0.9},
        "rope": 0.005,
        "p_equivalence": 0.5,
        "test_noise": None,
        "differences": (0.01, 0.03),
        "step_time": None,
        "p_value_holm": 0.5,
        "p_equivalence_holm": 0.5,
        "verdict": verdict,
        "decided_at": None,
        "seeds_needed": None,
    }
    return Pair.model_validate({**fields, **changes})


def task_comparison(
    variants: Mapping[str, VariantSummary], *pairs: Pair, metric: str = "accuracy", **changes
) -> TaskComparison:
    """A task's entry in a comparison."""
    fields = {
        "title": "made up",
        "synthetic": False,
        "source": "none",
        "metric": TaskMetric.of(METRICS[metric], 0.005),
        "seeds": (0, 1),
        "train_fraction": 1.0,
        "target": None,
        "test_groups": None,
        "cost_device": None,
        "cost_threads": None,
        "cost_versions": None,
        "variants": variants,
        "baselines": {},
        "pairs": pairs,
        "warnings": (),
        "budgets": (),
    }
    return TaskComparison.model_validate({**fields, **changes})


def answer(choice: str, *others: str, within_tolerance: bool = True, **changes) -> Answer:
    """An answer that takes `choice`; `others` may be the best as well."""
    own = {"contender": True, "shortfall": 0.004, "shortfall_over_groups": None, "seeds": 2}
    fields = {
        "choice": choice,
        "rule": "macs",
        "chosen_by": "macs",
        "tolerance": 0.01,
        "within_tolerance": within_tolerance,
        "level": 0.95,
        "generalises_over": "this test set",
        "units": 2,
        "unit_words": "2 paired seeds",
        "shortfall": 0.004,
        "shortfall_over_groups": None,
        "contenders": (choice, *others),
        "compared_with": None,
        "by_variant": {name: {**own, "cost_ratio": {}} for name in (choice, *others)},
        "sentence": f"take {choice}: at most 0.4 points below the best (95 %)",
    }
    return Answer.model_validate({**fields, **changes})


def whole_comparison(tasks: Mapping[str, TaskComparison], **changes) -> Comparison:
    """A comparison of these tasks."""
    fields = {
        "alpha": 0.05,
        "rope": 0.005,
        "power": 0.8,
        "looks": None,
        "primary_tests": sum(len(task.primary) for task in tasks.values()),
        "warnings": (),
        "tasks": tasks,
        "across": ranking.rank({}, 0.05),
        "claims": (),
        "versions": {},
        "study": {"variants": {}},
    }
    return Comparison.model_validate({**fields, **changes})
