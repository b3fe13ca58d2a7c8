"""Stage `probe`: one variant -> reports/probes/<variant>.json."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from gatewise import config
from gatewise.artifacts import software
from gatewise.artifacts.plan import ComparePlan, ProbePlan
from gatewise.artifacts.probes import ProbeReport
from gatewise.execution import ahead
from gatewise.execution.kept_results import KeptResult
from gatewise.files import cores
from pipeline import run

STAGE = "probe"


def main(arguments: list[str]) -> None:
    """Probe the memory of one variant, several runs side by side."""
    (variant,) = arguments
    kept, probe = _probing(variant)
    with ahead.claimed(kept.name):
        kept.make(lambda: probe(Path()))
    report = ProbeReport.read(kept.outputs[0])
    solved = (
        f"{problem.title} {problem.longest_solved or 'none'} of {problem.asked[-1]}"
        for problem in report.probes.values()
    )
    print(f"{variant}: {report.unprobed or 'longest length held: ' + ', '.join(solved)}")


def make_ahead() -> None:
    """Probe all variants before their stages come, in a process behind the others."""
    ahead.carry_out(
        ahead.Piece(f"{STAGE}@{variant}", partial(_make_ahead, variant))
        for variant in ComparePlan.read("data/plan/compare.json").study().variants
    )


def _make_ahead(variant: str) -> None:
    kept, probe = _probing(variant)
    kept.make_ahead(probe)


def _probing(variant: str) -> tuple[KeptResult, Callable[[Path], None]]:
    """A variant's result, and what makes it below a folder."""
    plan = ProbePlan.read(Path("data/plan/probes", f"{variant}.json"))
    target = Path("reports/probes", f"{variant}.json")

    def probe(root: Path) -> None:
        from gatewise.diagnostics.probes import summary

        wanted = config.load_operation()[0].workers
        report = summary.report(plan, cores() if wanted == "auto" else wanted)
        report.write(root / target)

    made_by = software.result_digest("gatewise.diagnostics.probes.summary", plan.cells)
    return KeptResult(STAGE, variant, [plan.model_dump(mode="json"), made_by], [target]), probe


if __name__ == "__main__":
    run(main)
