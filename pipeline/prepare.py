"""Stage `prepare`: data/raw/<task>/ -> data/prepared/<task>/ and reports/data/<task>.json."""

from __future__ import annotations

from pathlib import Path

from gatewise import config
from gatewise.artifacts import manifest, software
from gatewise.artifacts.plan import SequencesPlan
from gatewise.errors import GatewiseError
from gatewise.execution.kept_results import KeptResult
from gatewise.tracking import creation
from pipeline import run


def main(arguments: list[str]) -> None:
    """Prepare the data of one task."""
    (task,) = arguments
    # Now, to be ready by the time that runs are trained.
    creation.begin(config.load_operation()[1])
    plan = SequencesPlan.read(Path("data/plan", task, "sequences.json"))
    raw, target = Path("data/raw", task), Path("data/prepared", task)
    report_path = Path("reports/data", f"{task}.json")

    def prepare() -> None:
        from gatewise.data.preparation import build
        from gatewise.data.preparation.certificate import LeakError

        try:
            prepared, report = build.prepare(task, plan.settings, raw, target)
        except LeakError as error:
            error.report.write(report_path)
            raise GatewiseError(f"{error}\n  the whole certificate: {report_path}") from None
        report.write(report_path)
        print(
            f"{task}: {len(prepared.index)} sequences, {len(prepared.sequences)} steps, "
            f"digest {prepared.card.digest[:12]}"
        )

    made_by = software.result_digest(
        "gatewise.data.preparation.build", objective=plan.settings.objective.kind
    )
    decisive = [plan.model_dump(mode="json"), manifest.digest(raw), made_by]
    KeptResult("prepare", task, decisive, [target, report_path]).make(prepare)


if __name__ == "__main__":
    run(main)
