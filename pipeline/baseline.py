"""Stage `baseline`: prepared data -> reports/baselines/<task>.json."""

from __future__ import annotations

from pathlib import Path

from gatewise.artifacts import software
from gatewise.artifacts.plan import BaselinePlan
from gatewise.artifacts.prepared import Prepared, read_digest
from gatewise.config.metrics import METRICS
from gatewise.diagnostics import opponents
from gatewise.execution.kept_results import KeptResult
from pipeline import run


def main(arguments: list[str]) -> None:
    """Score the simple opponents on one task."""
    (task,) = arguments
    plan = BaselinePlan.read(Path("data/plan", task, "baseline.json"))
    prepared, target = Path("data/prepared", task), Path("reports/baselines", f"{task}.json")

    one_split = not Prepared.open(prepared).card.resample and plan.fraction == 1
    plan = plan.model_copy(update={"seeds": plan.seeds[:1] if one_split else plan.seeds})

    def score() -> None:
        from gatewise.diagnostics import baselines

        report = baselines.evaluate(
            Prepared.open(prepared), list(plan.seeds), plan.fraction, plan.alpha, plan.resamples
        )
        report.write(target)
        metric = METRICS[report.metric]
        for baseline in report.baselines.values():
            print(f"{task}: {baseline.title} {metric.show(baseline.mean)}")

    made_by = [
        software.result_digest(
            "gatewise.diagnostics.baselines",
            objective=plan.objective,
            more=[opponents.module_of(plan.objective)],
        ),
        software.metric_digest(plan.metric),
    ]
    decisive = [plan.model_dump(mode="json"), read_digest(prepared), *made_by]
    KeptResult("baseline", task, decisive, [target]).make(score)


if __name__ == "__main__":
    run(main)
