"""Stage `context`: finished runs of a task -> reports/context/<task>.json."""

from __future__ import annotations

from pathlib import Path

from gatewise import config
from gatewise.artifacts import runs, software
from gatewise.artifacts.plan import ContextPlan
from gatewise.artifacts.prepared import read_digest
from gatewise.execution.kept_results import KeptResult
from gatewise.files import cores
from pipeline import run


def main(arguments: list[str]) -> None:
    """Score all runs of one task on the last steps of its test sequences."""
    (task,) = arguments
    plan = ContextPlan.read(Path("data/plan", task, "context.json"))
    prepared, target = Path("data/prepared", task), Path("reports/context", f"{task}.json")
    found = [
        (folder, record)
        for folder, record in runs.find()
        if record.task == task and record.variant in plan.variants
    ]

    def ask() -> None:
        from gatewise.diagnostics import context

        wanted = config.load_operation()[0].workers
        workers = cores() if wanted == "auto" else wanted
        report = context.evaluate(plan, [folder for folder, _ in found], prepared, workers)
        report.write(target)
        steps = ", ".join(map(str, report.steps))
        print(f"{task}: {len(found)} run(s) scored on the last {steps} steps")

    made_by = software.result_digest("gatewise.diagnostics.context", plan.cells, plan.objective)
    asked = {record.name: record.weights_sha256 for _, record in found}
    decisive = [plan.model_dump(mode="json"), read_digest(prepared), asked, made_by]
    KeptResult("context", task, decisive, [target]).make(ask)


if __name__ == "__main__":
    run(main)
