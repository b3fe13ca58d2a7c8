"""The gate over a whole project: reads the study, writes `reports/gate.json` and `gate.md`."""

from __future__ import annotations

from pathlib import Path

from gatewise import config
from gatewise.delivery.gate import report
from gatewise.delivery.gate.assessment import Result, assess
from gatewise.delivery.gate.reference import opened
from gatewise.files import replacing, write_json
from gatewise.tracking.registry import CHAMPION
from gatewise.tracking.store import Store


def run(against: str, reports: str | Path = "reports") -> Result:
    """Put the study in the working directory through the gate.

    Args:
        against: `champion`, a revision, a folder or an archive.
        reports: where the reports go.

    Raises:
        GatewiseError: no verdict could be reached.
    """
    study = config.load()
    wants_store = against == CHAMPION and study.tracking.enabled
    store = Store(study.tracking) if wants_store else None
    with opened(against, list(study.tasks), store) as references:
        result = assess(study, references)
    write_json(Path(reports) / "gate.json", report.as_json(result, study.gate))
    with replacing(Path(reports) / "gate.md") as temporary:
        temporary.write_text(report.as_markdown(result, study.gate), encoding="utf-8")
    return result
