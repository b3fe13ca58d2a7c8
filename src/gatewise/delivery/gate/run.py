"""The gate over a whole project: reads the study, writes `reports/gate.json` and `gate.md`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gatewise import config
from gatewise.delivery.gate import report
from gatewise.delivery.gate.assessment import Result, assess
from gatewise.delivery.gate.reference import opened
from gatewise.errors import GatewiseError
from gatewise.files import replacing, write_json
from gatewise.tracking.registry import CHAMPION
from gatewise.tracking.store import Store


def run(
    against: str, reports: str | Path = "reports", tasks: Sequence[str] | None = None
) -> Result:
    """Put the study in the working directory through the gate.

    Args:
        against: `champion`, a revision, a folder or an archive.
        reports: where the reports go.
        tasks: which of the study's tasks to compare; all when left out.

    Raises:
        GatewiseError: no verdict could be reached.
    """
    study = config.load()
    for task in tasks or ():
        if task not in study.tasks:
            raise GatewiseError(f"no task {task!r}{config.suggest(task, study.tasks)}")
    if tasks:
        chosen = {name: study.tasks[name] for name in study.tasks if name in tasks}
        study = study.model_copy(update={"tasks": chosen})
    wants_store = against == CHAMPION and study.tracking.enabled
    store = Store(study.tracking) if wants_store else None
    with opened(against, list(study.tasks), store) as references:
        result = assess(study, references)
    write_json(Path(reports) / "gate.json", report.as_json(result, study.gate))
    with replacing(Path(reports) / "gate.md") as temporary:
        temporary.write_text(report.as_markdown(result, study.gate), encoding="utf-8")
    return result
