"""Runs through the pipeline's pool against the same runs in Keras, one after another.

Same model, data, batch size, epochs, optimiser and schedule; Keras with JAX, `model.fit` and all
cores, in an environment of its own (`make keras`). Ours leave whole run folders, checkpoints on
the way and predictions; Keras only trains and validates. Imports are counted for neither.

    python -m benchmarks.keras_peer [--quick]
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import tasks
from benchmarks.result import Result, main, measured, ratios
from benchmarks.study import through_the_pool
from gatewise import files
from gatewise.artifacts import splits
from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.prepared import Prepared
from gatewise.execution import warm
from gatewise.models.complexity import Sizes

PYTHON = Path(__file__).parent.parent / ".gatewise/keras/bin/python"
CASES = (("clips", "lstm", 64), ("text", "gru", 64))


def arrays(prepared: Prepared) -> dict[str, np.ndarray]:
    """Padded arrays as Keras takes them, normalised beforehand."""
    sequences, index = prepared.sequences, prepared.index
    longest = int(index["length"].max())
    whole = np.zeros((len(index), longest, *sequences.shape[1:]), sequences.dtype)
    for row, (start, length) in enumerate(index[["start", "length"]].to_numpy()):
        part = sequences[start : start + length]
        normal = prepared.card.normalise == "clip"
        whole[row, :length] = part - part.mean(0) if normal else part
    split, labels = splits.for_seed(prepared, 0), index["label"].to_numpy()
    chosen = {name: split == name for name in ("train", "validation")}
    return {f"x_{name}": whole[rows] for name, rows in chosen.items()} | {
        f"y_{name}": labels[rows] for name, rows in chosen.items()
    }


def in_keras(plan: RunPlan, prepared: Prepared, path: Path) -> dict[str, Any]:
    """What `benchmarks/keras_fit.py` says."""
    sizes = Sizes.of(prepared.card)
    settings = {
        "cell": plan.config.cell,
        "hidden": plan.config.hidden,
        "embedding": plan.config.embedding,
        "vocabulary": sizes.vocabulary,
        "classes": sizes.outputs,
        "seeds": len(plan.seeds),
        **plan.train.model_dump(mode="json"),
    }
    ours = ("PYTHONPATH", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(
        [
            str(PYTHON),
            str(Path(__file__).with_name("keras_fit.py")),
            str(path),
            json.dumps(settings),
        ],
        env={**environment, "KERAS_BACKEND": "jax"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(quick: bool) -> list[Result]:
    """As many runs as cores, twice over, in turns with Keras."""
    if not PYTHON.exists():
        print("keras_peer: skipped; `make keras` builds the environment that it compares with")
        return []
    os.environ.pop(warm.ADDRESS, None)
    address = warm.ensure(os.getpid(), ["gatewise.training.work", __name__])
    warm.fork(address, int, []).wait()
    results = []
    for kind, cell, hidden in CASES:
        with tempfile.TemporaryDirectory() as name:
            folder, path = Path(name, "task"), Path(name, "task.npz")
            prepared = tasks.write(folder, kind, 1300 if quick else 5000)
            np.savez(path, **arrays(prepared))
            seeds = files.cores() if quick else 2 * files.cores()
            plan = tasks.plan(kind, cell=cell, hidden=hidden, seeds=seeds, epochs=5)
            plan = plan.model_copy(update={"augment": None})
            pool, keras, later = [], [], []
            for _ in range(1 if quick else 2):
                found = in_keras(plan, prepared, path)
                keras.append(sum(run["seconds"] for run in found["runs"]))
                later.append(sum(run["later_epochs"] for run in found["runs"]))
                pool.append(through_the_pool(plan, folder, address))
        epochs = plan.train.epochs
        compiled = [seconds / (epochs - 1) * epochs for seconds in later]
        title = f"{seeds} runs, {kind}, {cell}-{hidden}"
        results += [
            measured(
                f"{title}: ours", pool, "s",
                what=f"throughput to Keras {found['keras']}, JAX {found['jax']}",
                checked=ratios(keras, pool), limit=2.0, better="higher",
            ),
            measured(f"{title}: Keras", keras, "s"),
            measured(
                f"{title}: Keras without compiling", compiled, "s",
                what="throughput to it", checked=ratios(compiled, pool),
            ),
        ]  # fmt: skip
    return results


if __name__ == "__main__":
    main(measure, __doc__)
