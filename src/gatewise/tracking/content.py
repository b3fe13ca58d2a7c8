"""What MLflow should hold for a run: plain data made from the run's folder, no MLflow needed.

Live tracking and the mirror both write this and nothing else, so they cannot drift apart.
"""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gatewise import runs
from gatewise.files import digest
from gatewise.runs import RunRecord

KEY = "gatewise.key"
CONTENT = "gatewise.content"
KIND = "gatewise.kind"
PARENT = "mlflow.parentRunId"

# Columns of `curves.csv` beside `epoch`.
CURVES = (
    "learning_rate",
    "gradient_norm",
    "train_loss",
    "validation_loss",
    "validation_accuracy",
    "validation_macro_f1",
)
# Record fields known before a run starts. What of them is given is logged as parameters, and
# `run.json` holds the same, so a run looks alike whichever side wrote it.
SETTINGS = (
    "task",
    "variant",
    "seed",
    "model",
    "budget",
    "kernel",
    "parameters",
    "recurrent_parameters",
    "macs_per_step",
    "train",
    "threads",
    "accelerator",
    "precision",
    "data",
    "versions",
)
# Settings that the seeds of one parent run share. Not `data` as a whole: held-out groups
# may change with the seed.
SHARED = ("task", "variant", "model", "train", "threads", "accelerator", "precision", "versions")

MetricKey = tuple[str, int]
"""Name and step."""


@dataclass(frozen=True)
class Content:
    """What one MLflow run should hold."""

    key: str
    """Identity: a second run with the same key is never made."""
    name: str
    task: str
    kind: str
    """`run` for one seed, `variant` for the parent of its seeds."""
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[MetricKey, float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    data_digest: str | None = None
    data_examples: dict[str, int] = field(default_factory=dict)
    """Examples per split."""
    parent: str | None = None
    """Key of the parent run."""

    @property
    def digest(self) -> str:
        """Digest of all of it; kept on the run as a seal that it is complete."""
        metrics = sorted((name, step, repr(value)) for (name, step), value in self.metrics.items())
        return digest([self.key, self.name, self.params, metrics, self.tags, self.data_digest])


def from_folder(folder: str | Path) -> Content:
    """Content of a finished run, from `run.json` and `curves.csv`.

    Raises:
        GatewiseError: the folder holds no readable run record.
    """
    record = RunRecord.read(folder)
    return _finished(record, read_curves(folder))


def from_settings(key: str, settings: Mapping[str, Any]) -> Content:
    """Content of a run that has only just started: its parameters and its place.

    Args:
        key: the run's key.
        settings: those fields of its record that are known already (see `SETTINGS`); `task`,
            `variant` and `seed` must be among them.
    """
    task, variant, seed = settings["task"], settings["variant"], settings["seed"]
    known = {name: settings[name] for name in SETTINGS if name in settings}
    # MLflow never lets a parameter change, so what training has yet to settle waits.
    if (known.get("model") or {}).get("match"):
        known.pop("model")
        known.pop("train", None)
    if known.get("accelerator") == "auto":
        known.pop("accelerator")
    data = settings.get("data") or {}
    return Content(
        key=key,
        name=f"{task}/{variant}/seed-{seed}",
        task=task,
        kind="run",
        params=flatten(known),
        tags=_tags(task, variant) | {"gatewise.seed": str(seed)},
        data_digest=data.get("digest"),
        data_examples=_examples(data),
    )


def parent_of(record: RunRecord) -> Content:
    """The parent run of a variant on a task, without its aggregates, from any of its seeds."""
    settings = record.model_dump(mode="json")
    task, variant = record.task, record.variant
    data = record.data
    shared = {name: settings[name] for name in SHARED}
    return Content(
        key=parent_key(settings),
        name=f"{task}/{variant}",
        task=task,
        kind="variant",
        params=flatten(shared),
        tags=_tags(task, variant),
        data_digest=data.get("digest"),
    )


def with_aggregates(
    parent: Content,
    records: Iterable[RunRecord],
    intervals: Mapping[str, tuple[float, float]] | None = None,
) -> Content:
    """`parent` with mean and standard deviation of every final metric over its seeds.

    Args:
        parent: as made by `parent_of`.
        records: the finished seeds.
        intervals: confidence intervals of the mean by metric name, where computed.
    """
    records = sorted(records, key=lambda record: record.seed)
    metrics: dict[MetricKey, float] = {("seeds", 0): float(len(records))}
    finals = [final_metrics(record) for record in records]
    for name in finals[0] if finals else ():
        values = [final[name] for final in finals]
        metrics[f"{name}_mean", 0] = statistics.fmean(values)
        if len(values) > 1 and all(map(math.isfinite, values)):
            metrics[f"{name}_std", 0] = statistics.stdev(values)
    for name, (low, high) in (intervals or {}).items():
        metrics[f"{name}_ci_low", 0] = low
        metrics[f"{name}_ci_high", 0] = high
    seeds = ", ".join(str(record.seed) for record in records)
    return Content(
        **{**parent.__dict__, "metrics": metrics, "tags": parent.tags | {"gatewise.seeds": seeds}}
    )


def final_metrics(record: RunRecord) -> dict[str, float]:
    """What the kept weights score (`best_*`, `test_*`), and what they cost."""
    found: dict[str, float] = {}
    for split, values in record.metrics.items():
        prefix = "test" if split == "test" else f"best_{split}"
        found |= {f"{prefix}_{name}": float(value) for name, value in values.items()}
    found["best_epoch"] = float(record.best_epoch)
    found["epochs_run"] = float(record.epochs_run)
    # Parameters are text in MLflow; as metrics they sort by size.
    found["cost/parameters"] = float(record.parameters)
    found["cost/macs_per_step"] = float(record.macs_per_step)
    return found


def read_curves(folder: str | Path) -> dict[MetricKey, float]:
    """All points of `curves.csv`, by metric and epoch."""
    points: dict[MetricKey, float] = {}
    with (Path(folder) / runs.CURVES).open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            epoch = int(row.pop("epoch"))
            points |= {(name, epoch): float(value) for name, value in row.items() if value}
    return points


def parent_key(settings: Mapping[str, Any]) -> str:
    """Key of the parent run: a digest of what all seeds of a variant share."""
    shared = {name: settings[name] for name in SHARED}
    return digest(["variant", shared, settings["data"].get("digest")])


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested settings as `a.b: text`; what is not set is left out."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        elif value is not None:
            flat[f"{prefix}{name}"] = _text(value)
    return flat


def same(a: float, b: float) -> bool:
    """Whether a stored value stands for the wanted one.

    Live values may carry more digits than `curves.csv`, and SQL stores hold the largest
    double in place of infinity.
    """
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    largest = 1.7976931348623157e308
    a, b = (max(-largest, min(largest, value)) for value in (a, b))
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-12)


def _finished(record: RunRecord, curves: dict[MetricKey, float]) -> Content:
    settings = record.model_dump(mode="json")
    if settings["model"].get("match"):
        settings["model"]["match"] = None  # it is settled: `budget` tells how
    started = from_settings(record.key, settings)
    final = {(name, record.best_epoch): value for name, value in final_metrics(record).items()}
    tags = {
        "gatewise.weights_sha256": record.weights_sha256,
        "gatewise.predictions_sha256": record.predictions_sha256,
    }
    return Content(
        **{
            **started.__dict__,
            "metrics": curves | final,
            "tags": started.tags | tags,
            "parent": parent_key(settings),
        }
    )


def _tags(task: str, variant: str) -> dict[str, str]:
    return {
        "gatewise.task": task,
        "gatewise.variant": variant,
        "dvc.stage": f"train@{task}-{variant}",
    }


def _examples(data: Mapping[str, Any]) -> dict[str, int]:
    counts = data.get("examples")
    return {k: int(v) for k, v in counts.items()} if isinstance(counts, Mapping) else {}


def _text(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text[:6000]  # as much as MLflow keeps
