"""Stage `profile`: prepared data and plans -> reports/cost/<task>.json."""

from __future__ import annotations

from pathlib import Path

from gatewise.artifacts import software
from gatewise.artifacts.plan import CostsPlan
from gatewise.artifacts.prepared import Prepared, read_digest
from gatewise.execution import ahead
from gatewise.execution.kept_results import KeptResult
from pipeline import run


def main(arguments: list[str]) -> None:
    """Measure all variants of one task, interleaved in this process."""
    (task,) = arguments
    plan = CostsPlan.read(Path("data/plan", task, "costs.json"))
    prepared, target = Path("data/prepared", task), Path("reports/cost", f"{task}.json")

    def measure() -> None:
        from gatewise.diagnostics import profiling

        with ahead.quiet():
            costs = profiling.profile(Prepared.open(prepared), plan.runs)
        costs.write(target)
        for variant, cost in costs.variants.items():
            step = cost.train_step_ms
            print(
                f"{task}/{variant}: {step.median:.1f} ms a training step "
                f"({step.q1:.1f} to {step.q3:.1f}), {cost.share_of_peak:.0%} of the GEMM peak"
            )

    cells = {cell for run_plan in plan.runs.values() for cell in run_plan.cells}
    (objective,) = {run_plan.objective for run_plan in plan.runs.values()}
    made_by = software.result_digest("gatewise.diagnostics.profiling", cells, objective)
    decisive = [plan.model_dump(mode="json"), read_digest(prepared), made_by]
    KeptResult("profile", task, decisive, [target]).make(measure)


if __name__ == "__main__":
    run(main)
