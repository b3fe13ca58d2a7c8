"""How long mirroring takes: `python -m benchmarks.mirror [RUNS] [EPOCHS]`, into a fresh store.

The run folders are made up, but whole: curves, predictions, records. Printed are the seconds of
the first mirror, of a second one that finds everything in place, and of a full check.

1,000 runs of 50 epochs into SQLite, two cores shared with other work (an AMD EPYC, load 2 to 4):
147 s to mirror, 10 s to see that nothing is missing, 144 s to check every point and artifact.
"""

import csv
import math
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from gatewise.artifacts import runs
from gatewise.artifacts.runs import RunData, RunRecord
from gatewise.config import SplitConfig, TrackingConfig, TrainConfig, VariantConfig
from gatewise.tracking.content import CURVES
from gatewise.tracking.mirror import check, mirror
from gatewise.tracking.store import Store
from gatewise.training.scoring import predictions_digest

VARIANTS, CLASSES, EXAMPLES = 10, 10, 500


def make(root: Path, count: int, epochs: int) -> None:
    """`count` run folders of ten variants."""
    generator = np.random.default_rng(0)
    for number in range(count):
        variant, seed = f"gru-{number % VARIANTS}", number // VARIANTS
        folder = root / "digits" / variant / f"seed-{seed}"
        folder.mkdir(parents=True)
        with (folder / runs.CURVES).open("w", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["epoch", *CURVES])
            for epoch in range(1, epochs + 1):
                rows.writerow(
                    [epoch, *(math.exp(-epoch / 20) * x for x in generator.random(len(CURVES)))]
                )
        label = generator.integers(CLASSES, size=EXAMPLES, dtype=np.int32)
        table = pd.DataFrame(
            {
                "id": [str(i) for i in range(EXAMPLES)],
                "group": "g",
                "label": label,
                "predicted": np.where(generator.random(EXAMPLES) < 0.8, label, 0).astype(np.int32),
                "probabilities": list(generator.random((EXAMPLES, CLASSES), dtype=np.float32)),
            }
        )
        table.to_parquet(folder / runs.PREDICTIONS, index=False)
        scores = {name: float(generator.random()) for name in ("accuracy", "macro_f1", "loss")}
        RunRecord(
            task="digits",
            variant=variant,
            seed=seed,
            key=f"{variant}-{seed}",
            plan_sha256=variant,
            software_sha256="s" * 64,
            config=VariantConfig(cell="gru", hidden=16 + number % VARIANTS),
            budget="as given",
            kernel="fused",
            parameters=1000,
            recurrent_parameters=900,
            macs_per_step=800,
            train=TrainConfig(epochs=epochs),
            split=SplitConfig(),
            augment=None,
            metric="accuracy",
            threads=1,
            accelerator="cpu",
            precision="32-true",
            epochs_run=epochs,
            best_epoch=epochs,
            metrics={"train": scores, "validation": scores, "test": scores},
            weights_sha256="w" * 64,
            predictions_sha256=predictions_digest(table),
            data=RunData(digest="d" * 64, examples={"train": 1000, "test": EXAMPLES}),
            versions={"torch": "2.14.1"},
        ).write(folder)


def main(count: int = 1000, epochs: int = 50) -> None:
    """Time it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder / "runs", count, epochs)
        config = TrackingConfig(uri=f"sqlite:///{folder}/mlflow.db")
        steps = {
            "importing MLflow and making the store": lambda: Store(config),
            f"mirroring {count} runs of {epochs} epochs": lambda: print(
                mirror(config, folder / "runs", folder, lock=folder / "lock").sentence
            ),
            "mirroring again": lambda: print(
                mirror(config, folder / "runs", folder, lock=folder / "lock").sentence
            ),
            "checking everything": lambda: print(
                f"{len(check(config, folder / 'runs', folder))} differences"
            ),
        }
        for title, step in steps.items():
            began = time.perf_counter()
            step()
            print(f"{title}: {time.perf_counter() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
