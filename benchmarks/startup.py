"""Seconds until a command or a stage has done nothing at all: imports, plans, what is restored.

Each runs in a copy of the repository, alone and cold, as from a shell; `warm` is the same stage
forked from a process that has its imports, as under `dvc repro`.

    python -m benchmarks.startup [--quick]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import tasks
from benchmarks.result import Result, main, measured
from gatewise import warm
from gatewise.files import write_json
from gatewise.plan import path
from pipeline import WARM_MODULES, module

PROJECT = Path(__file__).parent.parent
COLD = {
    "gatewise --help": (["-m", "gatewise.cli", "--help"], 2.0),
    "gatewise cells": (["-m", "gatewise.cli", "cells"], 10.0),
    "stage plan": (["-m", "pipeline.plan"], 5.0),
}
"""Commands and the most seconds they may take."""


def cold(folder: Path, arguments: list[str]) -> float:
    """Seconds of a Python process of its own."""
    environment = {**os.environ, "PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}"}
    environment.pop(warm.ADDRESS, None)
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def from_warm(folder: Path, address: str, stage: list[str]) -> float:
    """Seconds of the stage in a child of the warm process."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        began = time.perf_counter()
        assert warm.fork(address, module, [f"pipeline.{stage[0]}", stage[1:]]).wait() == 0
        return time.perf_counter() - began
    finally:
        os.chdir(before)


def measure(quick: bool) -> list[Result]:
    """Commands from cold, and a train stage that finds every run finished."""
    rounds = 2 if quick else 5
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "params.yaml").write_bytes((PROJECT / "params.yaml").read_bytes())
        for title, (arguments, limit) in COLD.items():
            seconds = [cold(folder, arguments) for _ in range(rounds)]
            found = measured(title, seconds, "s", what="seconds", limit=limit)
            results.append(Result(**{**found.__dict__, "checked": found.value}))
        tasks.write(folder / "data" / "prepared" / "frames", "frames", 300)
        plan = tasks.plan("frames", cell="gru", hidden=8, seeds=2, epochs=1)
        write_json(path("frames", "gru", folder / "data" / "plan"), plan.model_dump(mode="json"))
        os.environ.pop(warm.ADDRESS, None)
        os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
        address = warm.ensure(os.getpid(), [*WARM_MODULES, "gatewise.training.one_run"])
        stage = ["train", "frames", "gru"]
        from_warm(folder, address, stage)  # trains, and waits for the imports
        seconds = [from_warm(folder, address, stage) for _ in range(rounds)]
        found = measured("stage train, warm, all finished", seconds, "s", what="seconds", limit=5.0)
        results.append(Result(**{**found.__dict__, "checked": found.value}))
    return results


if __name__ == "__main__":
    main(measure, __doc__)
