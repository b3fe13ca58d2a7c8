"""Stage `prepare`: data/raw/<task>/ -> data/prepared/<task>/ and reports/data/<task>.json."""

from __future__ import annotations

from pathlib import Path

from gatewise import config
from gatewise.errors import GatewiseError
from pipeline import run


def main(arguments: list[str]) -> None:
    """Prepare the data of one task."""
    from gatewise.data.preparation.build import prepare
    from gatewise.data.preparation.certificate import LeakError

    study = config.load()
    (task,) = arguments
    if task not in study.tasks:
        raise GatewiseError(f"no task {task!r}{config.suggest(task, study.tasks)}")
    report_path = Path("reports/data") / f"{task}.json"
    try:
        prepared, report = prepare(
            task, study.tasks[task], Path("data/raw") / task, Path("data/prepared") / task
        )
    except LeakError as error:
        error.report.write(report_path)
        raise GatewiseError(f"{error}\n  the whole certificate: {report_path}") from None
    report.write(report_path)
    print(
        f"{task}: {len(prepared.index)} sequences, {len(prepared.sequences)} steps, "
        f"digest {prepared.card.digest[:12]}"
    )


if __name__ == "__main__":
    run(main)
