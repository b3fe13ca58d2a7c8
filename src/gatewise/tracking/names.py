"""Names of metrics in MLflow, one for each meaning, wherever it stands.

MLflow makes a section of its charts of what stands before the last slash and sorts sections by
name, so that of the test split comes first, then time, training and validation.
"""

from __future__ import annotations

SPLITS = ("train", "validation", "test")


def final(split: str, metric: str) -> str:
    """Score of the kept weights: `test/accuracy`, `validation/best_accuracy`.

    A split that is also scored by epoch needs a name of its own for the kept weights, since MLflow
    shows the last value of a metric.
    """
    return f"{split}/{metric}" if split == "test" else f"{split}/best_{metric}"


def curve(column: str) -> str:
    """A column of `curves.csv`, by epoch: `validation_accuracy` is `validation/accuracy`."""
    split, _, metric = column.partition("_")
    return f"{split}/{metric}" if split in SPLITS else f"train/{column}"


def live(name: str) -> str:
    """What only live tracking knows of an epoch: `train/epoch_seconds`, `train/epoch_memory_mb`."""
    return f"train/epoch_{name}"


def mean(name: str) -> str:
    """Mean over the seeds of a variant."""
    return f"{name}_mean"


def std(name: str) -> str:
    """Standard deviation over the seeds of a variant."""
    return f"{name}_std"


def low(name: str) -> str:
    """Lower end of the interval of the mean."""
    return f"{name}_low"


def high(name: str) -> str:
    """Upper end of the interval of the mean."""
    return f"{name}_high"


def shortfall(name: str) -> str:
    """How far a variant may lie below the best at worst."""
    return f"{name}_shortfall"


def of_pair(a: str, b: str, evidence: str) -> str:
    """Evidence on a pair of variants: `test/gru-lstm/difference`."""
    return f"test/{a}-{b}/{evidence}"


BEST_EPOCH = "train/best_epoch"
EPOCHS = "train/epochs"
TRAINING_MACS = "train/macs"
TRAIN_STEP = "time/train_step_ms"
INFERENCE = "time/inference_ms"
EPOCH_SECONDS = "time/train_seconds_per_epoch"
MEMORY = "time/peak_memory_mb"
_SECTIONS = ("test", "time", "validation", "train")


def importance(name: str) -> int:
    """Lower stands higher on a run's page, which lists metrics as they were first logged."""
    section = name.partition("/")[0]
    return _SECTIONS.index(section) if section in _SECTIONS else len(_SECTIONS)
