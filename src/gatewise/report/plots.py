"""Data for `dvc plots`: learning curves, confusion counts, score against cost and tuning budget."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.artifacts.comparison import Comparison
from gatewise.evidence import prediction_counts
from gatewise.evidence.task_evidence import TaskEvidence
from gatewise.report import attention, fans, side_by_side, thumbnails

if TYPE_CHECKING:
    import pandas as pd

CURVES = ("task", "variant", "epoch")
"""Columns that `curves` has at least."""
CONFUSION = ("task", "variant", "actual", "predicted", "count", "share")


def curves(evidence: Mapping[str, TaskEvidence]) -> pd.DataFrame:
    """Mean and spread over seeds of every curve, a row a task, variant and epoch.

    Columns are `task, variant, epoch`, the mean of each column of the curves, and with
    `_low` and `_high` appended the range over seeds. A seed that stopped early keeps its last
    values, as its best weights were kept: a mean over the survivors alone would drift towards
    whatever made them survive.
    """
    import pandas as pd

    tables = []
    for task, known in evidence.items():
        if known.curves is None:
            continue
        for variant, group in known.curves.groupby("variant", sort=False):
            values = group.drop(columns="variant").set_index(["epoch", "seed"])
            filled = values.unstack("seed").sort_index().ffill().T.groupby(level=0, sort=False)
            table = filled.mean().T
            table[[f"{c}_low" for c in table]] = filled.min().T
            table[[f"{c}_high" for c in values]] = filled.max().T
            first = {"task": task, "variant": variant, "epoch": table.index}
            tables.append(pd.DataFrame({**first, **table.reset_index(drop=True)}))
    if not tables:
        return pd.DataFrame(columns=list(CURVES))
    return pd.concat(tables, ignore_index=True)


def confusion(evidence: Mapping[str, TaskEvidence]) -> pd.DataFrame:
    """Confusion counts summed over seeds: `task, variant, actual, predicted, count, share`.

    `share` is of the actual class; a class that the card does not name goes by its number.
    """
    import pandas as pd

    rows = []
    for task, known in evidence.items():
        labels = known.card.labels if known.card else []
        for variant, by_seed in known.predictions.items():
            counts = prediction_counts.confusion(list(by_seed.values()), len(labels))
            if counts is None:
                continue
            names = labels if len(labels) == len(counts) else [str(i) for i in range(len(counts))]
            for i, row in enumerate(counts):
                for j, count in enumerate(row):
                    share = float(count / row.sum()) if row.sum() else 0.0
                    rows.append((task, variant, names[i], names[j], int(count), share))
    return pd.DataFrame(rows, columns=list(CONFUSION))


def cost_against_score(comparison: Comparison) -> pd.DataFrame:
    """Score beside each cost, a row a task and variant."""
    import pandas as pd

    rows = [
        {
            "task": name,
            "variant": variant,
            "score": summary.mean,
            "parameters": summary.parameters,
            "macs_per_step": summary.macs_per_step,
            "train_seconds_per_epoch": summary.train_seconds_per_epoch,
            "latency_ms": summary.latency_ms,
        }
        for name, task in comparison.tasks.items()
        for variant, summary in task.variants.items()
    ]
    return pd.DataFrame(rows)


def tuning_budget(comparison: Comparison) -> pd.DataFrame:
    """Best validation score to expect of so many trials, a row a task, variant and number.

    Columns are `task, variant, trials, expected, low, high`; no row where nothing was tuned.
    """
    import pandas as pd

    rows = [
        (name, variant, point.trials, point.expected, point.low, point.high)
        for name, task in comparison.tasks.items()
        if task.tuning is not None
        for variant, tuned in task.tuning.variants.items()
        for point in tuned.budget
    ]
    return pd.DataFrame(rows, columns=["task", "variant", "trials", "expected", "low", "high"])


def write(
    folder: str | Path,
    evidence: Mapping[str, TaskEvidence],
    comparison: Comparison,
    root: str | Path = "runs",
) -> None:
    """Write the tables as CSV into `folder`; predictions are read from below `root`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in (
        ("curves", curves(evidence)),
        ("confusion", confusion(evidence)),
        ("cost", cost_against_score(comparison)),
        ("tuning", tuning_budget(comparison)),
    ):
        frame.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")
    forecasts = fans.forecasts(evidence, root)
    if len(forecasts):
        forecasts.to_csv(folder / "forecasts.csv", index=False, float_format="%.6g")
    examples = side_by_side.texts(evidence, root)
    if len(examples):
        examples.to_csv(folder / "examples.csv", index=False, float_format="%.6g")
    looks = attention.maps(evidence, comparison)
    if len(looks):
        looks.to_csv(folder / "attention.csv", index=False, float_format="%.6g")
    images = thumbnails.images(examples, evidence)
    if len(images):
        images.to_csv(folder / "images.csv", index=False)


def headline(comparison: Comparison) -> dict[str, dict[str, dict[str, float | None]]]:
    """The few numbers that `dvc metrics show` and `diff` list, by task and variant.

    Not what is chosen: by `step_time` or `latency` that would hang on the clock.
    """
    return {
        name: {
            variant: {
                task.metric.name: summary.mean,
                "std": summary.std,
                "shortfall": task.answer.by_variant[variant].shortfall if task.answer else None,
            }
            for variant, summary in task.variants.items()
        }
        for name, task in comparison.tasks.items()
    }
