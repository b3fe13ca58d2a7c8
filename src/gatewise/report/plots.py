"""Data for `dvc plots`: learning curves, confusion counts, score against cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gatewise.files import read_json
from gatewise.runs import RunRecord, read_curves, read_predictions

if TYPE_CHECKING:
    import pandas as pd

Run = tuple[Path, RunRecord]


def curves(found: Iterable[Run]) -> pd.DataFrame:
    """Mean over seeds of every column of the curves, a row a task, variant and epoch.

    A seed that stopped early keeps its last values, as its best weights were kept: a mean
    over the survivors alone would drift towards whatever made them survive.
    """
    import pandas as pd

    frames = []
    for folder, record in found:
        frame = read_curves(folder).set_index("epoch")
        frames.append(frame.assign(task=record.task, variant=record.variant, seed=record.seed))
    if not frames:
        return pd.DataFrame(columns=["task", "variant", "epoch"])
    long = pd.concat(frames).reset_index()
    means = []
    for (task, variant), group in long.groupby(["task", "variant"], sort=False):
        values = group.drop(columns=["task", "variant"]).set_index(["epoch", "seed"])
        filled = values.unstack("seed").sort_index().ffill()
        mean = filled.T.groupby(level=0, sort=False).mean().T.reset_index()
        means.append(pd.DataFrame({"task": task, "variant": variant, **mean}))
    return pd.concat(means, ignore_index=True)


def confusion(found: Iterable[Run], labels: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Confusion counts summed over seeds: `task, variant, actual, predicted, count, share`.

    Args:
        found: the runs.
        labels: class names by task; a class without a name goes by its number.
    """
    import pandas as pd

    totals: dict[tuple[str, str], np.ndarray] = {}
    for folder, record in found:
        frame = read_predictions(folder)
        size = 1 + int(max(frame["label"].max(), frame["predicted"].max()))
        size = max(size, len(labels.get(record.task, ())))
        flat = frame["label"].to_numpy() * size + frame["predicted"].to_numpy()
        counts = np.bincount(flat, minlength=size * size).reshape(size, size)
        key = (record.task, record.variant)
        totals[key] = counts + totals.get(key, np.zeros_like(counts))
    rows = []
    for (task, variant), counts in totals.items():
        names = labels.get(task) or [str(i) for i in range(len(counts))]
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
    folder: str | Path,
    found: Sequence[Run],
    comparison: Mapping[str, Any],
    cards: Mapping[str, Mapping[str, Any]],
) -> None:
    """Write the three tables as CSV into `folder`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    labels = {task: card.get("labels", []) for task, card in cards.items()}
    for name, frame in (
        ("curves", curves(found)),
        ("confusion", confusion(found, labels)),
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
