"""Stage `prepare`: data/raw/<task>/ -> data/prepared/<task>/ and reports/data/<task>.json."""

from __future__ import annotations

from pathlib import Path

from gatewise import config
from gatewise.errors import GatewiseError
from pipeline import run


def main(arguments: list[str]) -> None:
    """Prepare the data of one task."""
    from gatewise import files
    from gatewise.prepare import prepare

    study = config.load()
    (task,) = arguments
    if task not in study.tasks:
        raise GatewiseError(f"no task {task!r}{config.suggest(task, study.tasks)}")
    prepared, report = prepare(
        task, study.tasks[task], Path("data/raw") / task, Path("data/prepared") / task
    )
    files.write_json(Path("reports/data") / f"{task}.json", report)
    print(
        f"{task}: {len(prepared.index)} sequences, {len(prepared.sequences)} steps, "
        f"digest {prepared.card.digest[:12]}"
    )


if __name__ == "__main__":
    run(main)
