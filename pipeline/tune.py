"""Stage `tune`: a tuning plan and a prepared task -> data/tuned/<task>/<variant>.json."""

from __future__ import annotations

import os
from pathlib import Path

from gatewise import config
from gatewise.artifacts import tuned
from gatewise.artifacts.plan import TuningPlan, tuning_path
from gatewise.execution import torchrun, warm
from gatewise.execution.dispatch import Dispatch
from pipeline import make_ahead, run


def main(arguments: list[str]) -> None:
    """Choose the settings of one variant on one task by trials on its validation split."""
    task, variant = arguments
    execution, _ = config.load_operation()
    make_ahead()  # where `plan` was done before
    plan = TuningPlan.read(tuning_path(task, variant))

    def tune(together: torchrun.ProcessGroup | None) -> None:
        # Not at the top: under `dvc repro` it is imported by the warm process already.
        from gatewise.execution import tuning

        nothing = together is not None or finished()
        imports = [] if nothing else ["gatewise.training.work"]
        address = warm.ensure(os.getpid(), imports, plan.run.threads)
        cluster = execution if execution.backend == "ray" else None
        dispatch = Dispatch(address, execution.workers, cluster, together)
        result = tuning.tune_variant(plan, Path("data/prepared", task), dispatch)
        result.write(tuned.path(task, variant))

    def finished() -> bool:
        return not plan.tuning.trials or plan.kept is not None

    torchrun.run_stage(["pipeline.tune", *arguments], execution, plan.run, tune, finished=finished)


if __name__ == "__main__":
    if torchrun.launched():
        # A killed torchrun would leave this process training beside those of the next one.
        warm.die_with_parent()
    run(main)
