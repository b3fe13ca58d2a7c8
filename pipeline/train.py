"""Stage `train`: a plan and a prepared task -> runs/<task>/<variant>/."""

from __future__ import annotations

import os
from pathlib import Path

from gatewise import config
from gatewise.artifacts.plan import RunPlan, path
from gatewise.config import ExecutionConfig, TrackingConfig
from gatewise.execution import early_answer, torchrun, warm
from gatewise.execution.finished_runs import FinishedRuns
from gatewise.execution.variant_runs import run_keys, train_variant
from gatewise.tracking.live import Tracker
from pipeline import run


def main(arguments: list[str]) -> None:
    """Train every seed of one variant on one task."""
    task, variant = arguments
    execution, tracking = config.load_operation()
    plan = RunPlan.read(path(task, variant))
    if torchrun.launched():
        torchrun.check(execution, plan)
        with torchrun.ProcessGroup(execution) as together:
            if together.leads:
                _train(plan, execution, tracking, together)
            else:
                together.follow()
        return
    if execution.processes > 1:
        finished = FinishedRuns()
        keys = run_keys(plan, Path("data/prepared", task)).values()
        if not all(key in finished for key in keys):
            torchrun.check(execution, plan)
            torchrun.launch(execution, plan, ["pipeline.train", *arguments])
    _train(plan, execution, tracking)


def _train(
    plan: RunPlan,
    execution: ExecutionConfig,
    tracking: TrackingConfig,
    together: torchrun.ProcessGroup | None = None,
) -> None:
    # Under `dvc repro` this is the process that the stage itself was forked from.
    imports = [] if together else ["gatewise.training.one_run"]
    address = warm.ensure(os.getpid(), imports, plan.threads)
    with Tracker(tracking, plan.task, plan.variant, address=address) as tracker:
        train_variant(
            plan,
            Path("data/prepared", plan.task),
            Path("runs", plan.task, plan.variant),
            address=address,
            workers=execution.workers,
            cluster=execution if execution.backend == "ray" else None,
            together=together,
            observers=[tracker],
        )
    early_answer.say(plan.task)


if __name__ == "__main__":
    if torchrun.launched():
        # A killed torchrun would leave this process training beside those of the next one.
        warm.die_with_parent()
    run(main)
