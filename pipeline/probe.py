"""Stage `probe`: one variant -> reports/probes/<variant>.json."""

from __future__ import annotations

from pathlib import Path

from gatewise import config
from gatewise.artifacts import software
from gatewise.artifacts.plan import ProbePlan
from gatewise.execution.kept_results import KeptResult
from gatewise.files import cores
from pipeline import run


def main(arguments: list[str]) -> None:
    """Probe the memory of one variant, several runs side by side."""
    (variant,) = arguments
    plan = ProbePlan.read(Path("data/plan/probes", f"{variant}.json"))
    target = Path("reports/probes", f"{variant}.json")

    def probe() -> None:
        from gatewise.diagnostics.probes import summary

        wanted = config.load_operation()[0].workers
        report = summary.report(plan, cores() if wanted == "auto" else wanted)
        report.write(target)
        solved = (
            f"{problem.title} {problem.longest_solved or 'none'} of {problem.asked[-1]}"
            for problem in report.probes.values()
        )
        print(f"{variant}: {report.unprobed or 'longest length held: ' + ', '.join(solved)}")

    made_by = software.result_digest("gatewise.diagnostics.probes.summary", plan.cells)
    KeptResult("probe", variant, [plan.model_dump(mode="json"), made_by], [target]).make(probe)


if __name__ == "__main__":
    run(main)
