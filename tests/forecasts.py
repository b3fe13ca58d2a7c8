"""A small forecasting task for tests, prepared from a table as any other is."""

from pathlib import Path

import numpy as np
import pandas as pd

from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.prepared import Prepared
from gatewise.config import SplitConfig, TaskConfig, TrainConfig, VariantConfig
from gatewise.data import sources
from gatewise.data.preparation.build import prepare

HORIZON, SEASON, HISTORY = 4, 4, 12


def several(count: int = 6, length: int = 60) -> dict[str, np.ndarray]:
    """Series with a season and a trend that a model can learn."""
    draws, months = np.random.default_rng(5), np.arange(length)
    found = {}
    for k in range(count):
        season = 10 * draws.normal(size=SEASON)[months % SEASON]
        found[f"s{k}"] = 100 * (k + 1) + 3 * months + season + draws.normal(0, 1, length)
    return found


def write(root: Path, series: dict[str, np.ndarray], history: int = HISTORY) -> Prepared:
    """`data/raw/toy` and `data/prepared/toy` below `root`."""
    rows = [(name, t, v) for name, values in series.items() for t, v in enumerate(values)]
    root.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=["id", "time", "value"]).to_csv(root / "table.csv", index=False)
    config = TaskConfig.model_validate(
        {
            "source": {"kind": "series", "path": str(root / "table.csv")},
            "objective": {"kind": "forecast", "horizon": HORIZON, "season": SEASON},
            "features": {"kind": "series", "history": history, "stride": 2},
        }
    )
    for part in ("raw", "prepared"):
        (root / "data" / part).mkdir(parents=True, exist_ok=True)
    raw = sources.fetch(config.source, root / "data/raw/toy")
    return prepare("toy", config, raw.folder, root / "data/prepared/toy", 1)[0]


def plan(epochs: int = 4) -> RunPlan:
    """A plan that trains in a second."""
    return RunPlan(
        task="toy",
        variant="gru",
        config=VariantConfig(cell="gru", hidden=8, pooling="last"),
        reference=None,
        train=TrainConfig(epochs=epochs, batch_size=16, learning_rate=0.02),
        split=SplitConfig(),
        augment=None,
        metric="mase",
        objective="forecast",
        seeds=(0,),
        threads=1,
        accelerator="cpu",
        precision="32-true",
    )
