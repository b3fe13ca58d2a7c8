"""Stage `profile`: prepared data and plans -> reports/cost/<task>.json."""

from __future__ import annotations

from pathlib import Path

from gatewise import config
from gatewise.artifacts.plan import RunPlan, path
from gatewise.artifacts.prepared import Prepared
from gatewise.files import write_json
from pipeline import run


def main(arguments: list[str]) -> None:
    """Measure all variants of one task, interleaved in this process."""
    from gatewise.diagnostics import profiling

    (task,) = arguments
    study = config.load()
    plans = {variant: RunPlan.read(path(task, variant)) for variant in study.variants}
    found = profiling.profile(Prepared.open(Path("data/prepared", task)), plans)
    write_json(f"reports/cost/{task}.json", found)
    for variant, cost in found["variants"].items():
        step = cost["train_step_ms"]
        print(
            f"{task}/{variant}: {step['median']:.1f} ms a training step "
            f"({step['q1']:.1f} to {step['q3']:.1f}), {cost['kernel']} kernel"
        )


if __name__ == "__main__":
    run(main)
