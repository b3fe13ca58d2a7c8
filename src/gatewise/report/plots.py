"""Data for `dvc plots`: learning curves, confusion counts, score against cost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gatewise.evidence.task_evidence import TaskEvidence
from gatewise.files import read_json

if TYPE_CHECKING:
    import pandas as pd


def curves(evidence: Mapping[str, TaskEvidence]) -> pd.DataFrame:
    """Mean and spread over seeds of every curve, a row a task, variant and epoch.

    Columns are `task, variant, epoch`, the mean of each column of the curves, and with
    `_low` and `_high` appended the range over seeds. A seed that stopped early keeps its last
    values, as its best weights were kept: a mean over the survivors alone would drift towards
    whatever made them survive.
    """
    import pandas as pd

    tables = []
    for task, found in evidence.items():
        if found.curves is None:
            continue
        for variant, group in found.curves.groupby("variant", sort=False):
            values = group.drop(columns="variant").set_index(["epoch", "seed"])
            filled = values.unstack("seed").sort_index().ffill().T.groupby(level=0, sort=False)
            table = filled.mean().T
            table[[f"{c}_low" for c in table]] = filled.min().T
            table[[f"{c}_high" for c in values]] = filled.max().T
            first = {"task": task, "variant": variant, "epoch": table.index}
            tables.append(pd.DataFrame({**first, **table.reset_index(drop=True)}))
    if not tables:
        return pd.DataFrame(columns=["task", "variant", "epoch"])
    return pd.concat(tables, ignore_index=True)


def confusion(evidence: Mapping[str, TaskEvidence]) -> pd.DataFrame:
    """Confusion counts summed over seeds: `task, variant, actual, predicted, count, share`.

    `share` is of the actual class; a class that the card does not name goes by its number.
    """
    import pandas as pd

    rows = []
    for task, found in evidence.items():
        labels = found.card.get("labels", [])
        for variant, by_seed in found.outcomes.items():
            size = max([len(labels), *(len(o.confusion) for o in by_seed.values())])
            counts = np.zeros((size, size), dtype=np.int64)
            for outcome in by_seed.values():
                own = len(outcome.confusion)
                counts[:own, :own] += outcome.confusion
            names = labels if len(labels) == size else [str(i) for i in range(size)]
            for i, row in enumerate(counts):
                for j, count in enumerate(row):
                    share = float(count / row.sum()) if row.sum() else 0.0
                    rows.append((task, variant, names[i], names[j], int(count), share))
    columns = ["task", "variant", "actual", "predicted", "count", "share"]
    return pd.DataFrame(rows, columns=columns)


def cost_against_score(comparison: Mapping[str, Any]) -> pd.DataFrame:
    """Score beside each cost, a row a task and variant."""
    import pandas as pd

    rows = [
        {
            "task": task,
            "variant": variant,
            "score": cells["mean"],
            **{
                cost: cells[cost]
                for cost in (
                    "parameters",
                    "macs_per_step",
                    "train_seconds_per_epoch",
                    "latency_ms",
                )
            },
        }
        for task, found in comparison["tasks"].items()
        for variant, cells in found["variants"].items()
    ]
    return pd.DataFrame(rows)


def write(
    folder: str | Path, evidence: Mapping[str, TaskEvidence], comparison: Mapping[str, Any]
) -> None:
    """Write the three tables as CSV into `folder`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in (
        ("curves", curves(evidence)),
        ("confusion", confusion(evidence)),
        ("cost", cost_against_score(comparison)),
    ):
        frame.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")


def headline(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """The few numbers that `dvc metrics show` and `diff` list: mean and spread by task."""
    return {
        task: {
            variant: {found["metric"]: cells["mean"], "std": cells["std"]}
            for variant, cells in found["variants"].items()
        }
        for task, found in comparison["tasks"].items()
    }


def read_comparison(path: str | Path = "reports/comparison.json") -> dict[str, Any]:
    """Read `reports/comparison.json`."""
    found: dict[str, Any] = read_json(path)
    return found
