"""Seconds until a command or a stage has done nothing at all: imports, plans, what is restored.

Each runs in a folder with the study's `params.yaml` and next to nothing else. Cold is alone, as
from a shell; `warm` is beside a process that has its imports, as under `dvc repro`. There, `tune`
and `train` find all their runs finished, and the other stages stop at data that are not there.

    python -m benchmarks.startup [--quick]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks import tasks
from benchmarks.result import Result, main, measured
from gatewise.artifacts.plan import TuningPlan, path, tuning_path
from gatewise.config.tuning import TuningConfig
from gatewise.execution import warm
from pipeline import WARM_MODULES

PROJECT = Path(__file__).parent.parent
COLD = {
    "gatewise --help": (["-m", "gatewise.cli.main", "--help"], 2.0),
    "gatewise cells": (["-m", "gatewise.cli.main", "cells"], 10.0),
    "stage plan": (["-m", "pipeline.plan"], 5.0),
}
"""Commands and the most seconds they may take."""
WARM = {
    **{
        stage: ["none"] for stage in ("fetch", "prepare", "profile", "baseline", "context", "probe")
    },
    **{stage: [] for stage in ("compare", "report")},
}
"""Stages and the arguments by which they are asked for what is not there."""


def seconds(
    folder: Path, arguments: list[str], address: str | None = None, status: int = 0
) -> float:
    """Seconds of a Python process of its own, which ends with `status`."""
    environment = {**os.environ, "PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}"}
    environment.pop(warm.ADDRESS, None)
    if address is not None:
        environment[warm.ADDRESS] = address
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    took = time.perf_counter() - began
    if done.returncode != status:
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    return took


def measure(quick: bool) -> list[Result]:
    """Commands and stages in turn."""
    rounds = 2 if quick else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "params.yaml").write_bytes((PROJECT / "params.yaml").read_bytes())
        results = [
            _result(title, [seconds(folder, arguments) for _ in range(rounds)], limit)
            for title, (arguments, limit) in COLD.items()
        ]
        tasks.write(folder / "data" / "prepared" / "frames", "frames", 300)
        plan = tasks.plan("frames", cell="gru", hidden=8, seeds=2, epochs=1)
        plans = folder / "data" / "plan"
        plan.write(path("frames", "gru", plans))
        bare = plan.model_copy(update={"seeds": ()})
        trials = TuningPlan(run=bare, tuning=TuningConfig(trials=2))
        trials.write(tuning_path("frames", "gru", plans))
        os.environ.pop(warm.ADDRESS, None)
        os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
        address = warm.ensure(os.getpid(), WARM_MODULES)
        for stage in ("tune", "train"):
            command = ["-m", f"pipeline.{stage}", "frames", "gru"]
            seconds(folder, command, address)  # trains; the first one waits for the imports
            found = [seconds(folder, command, address) for _ in range(rounds)]
            results.append(_result(f"stage {stage}, warm, all finished", found, 5.0))
        for stage, arguments in WARM.items():
            command = ["-m", f"pipeline.{stage}", *arguments]
            found = [seconds(folder, command, address, status=1) for _ in range(rounds)]
            results.append(_result(f"stage {stage}, warm", found, 2.0))
    return results


def _result(title: str, found: list[float], limit: float) -> Result:
    result = measured(title, found, "s", what="seconds", limit=limit)
    return replace(result, checked=result.value)


if __name__ == "__main__":
    main(measure, __doc__)
