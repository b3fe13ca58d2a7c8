"""Stage `baseline`: prepared data -> reports/baselines/<task>.json."""

from __future__ import annotations

from pathlib import Path

from gatewise.artifacts import software
from gatewise.artifacts.plan import BaselinePlan
from gatewise.artifacts.prepared import Prepared, read_digest
from gatewise.execution.kept_results import KeptResult
from gatewise.files import write_json
from pipeline import run


def main(arguments: list[str]) -> None:
    """Score the majority class and a linear model on one task."""
    (task,) = arguments
    plan = BaselinePlan.read(Path("data/plan", task, "baseline.json"))
    prepared, target = Path("data/prepared", task), Path("reports/baselines", f"{task}.json")

    def score() -> None:
        from gatewise.diagnostics import baselines

        scores = baselines.evaluate(
            Prepared.open(prepared), list(plan.seeds), plan.fraction, plan.alpha, plan.resamples
        )
        write_json(target, scores)
        for entry in scores["baselines"].values():
            print(f"{task}: {entry['title']} {100 * entry['mean']:.1f} %")

    made_by = [
        software.result_digest("gatewise.diagnostics.baselines"),
        software.metric_digest(plan.metric),
    ]
    decisive = [plan.model_dump(mode="json"), read_digest(prepared), *made_by]
    KeptResult("baseline", task, decisive, [target]).make(score)


if __name__ == "__main__":
    run(main)
