"""Stage `train`: a plan and a prepared task -> runs/<task>/<variant>/."""

from __future__ import annotations

import os
from pathlib import Path

from gatewise import config, warm
from gatewise.plan import RunPlan, path
from gatewise.tracking.live import Tracker
from gatewise.training.variant import train_variant
from pipeline import run


def main(arguments: list[str]) -> None:
    """Train every seed of one variant on one task."""
    task, variant = arguments
    study = config.load()
    plan = RunPlan.read(path(task, variant))
    # Under `dvc repro` this is the process that the stage itself was forked from.
    address = warm.ensure(os.getpid(), ["gatewise.training.one_run"], plan.threads)
    with Tracker(study.tracking, task, variant, address=address) as tracker:
        train_variant(
            plan,
            Path("data/prepared", task),
            Path("runs", task, variant),
            address=address,
            workers=study.execution.workers,
            cluster=study.execution if study.execution.backend == "ray" else None,
            observers=[tracker],
        )


if __name__ == "__main__":
    run(main)
