"""Stage `train`: a plan, its tuned settings and a prepared task -> runs/<task>/<variant>/."""

from __future__ import annotations

import os
from pathlib import Path

from gatewise import config
from gatewise.artifacts import tuned
from gatewise.artifacts.plan import RunPlan, path
from gatewise.artifacts.tuned import Tuned
from gatewise.execution import early_answer, torchrun, warm
from gatewise.execution.dispatch import Dispatch
from gatewise.execution.finished_runs import FinishedRuns
from gatewise.execution.variant_runs import run_keys, settled, train_variant
from gatewise.tracking.live import Tracker
from pipeline import make_ahead, run


def main(arguments: list[str]) -> None:
    """Train every seed of one variant on one task."""
    task, variant = arguments
    execution, tracking = config.load_operation()
    make_ahead()  # where `plan` was done before
    plan = RunPlan.read(path(task, variant))
    chosen = Tuned.read(tuned.path(task, variant))
    prepared = Path("data/prepared", task)

    def train(together: torchrun.ProcessGroup | None) -> None:
        # Under `dvc repro` this is the process that the stage itself was forked from.
        imports = [] if together else ["gatewise.training.work"]
        address = warm.ensure(os.getpid(), imports, plan.threads)
        cluster = execution if execution.backend == "ray" else None
        dispatch = Dispatch(address, execution.workers, cluster, together)
        with Tracker(tracking, task, variant, address=address) as tracker:
            target = Path("runs", task, variant)
            train_variant(plan, prepared, target, dispatch, tuned=chosen, observers=[tracker])
        early_answer.say(task)

    def finished() -> bool:
        kept = FinishedRuns()
        return all(key in kept for key in run_keys(settled(plan, chosen), prepared).values())

    torchrun.run_stage(["pipeline.train", *arguments], execution, plan, train, finished=finished)


if __name__ == "__main__":
    if torchrun.launched():
        # A killed torchrun would leave this process training beside those of the next one.
        warm.die_with_parent()
    run(main)
