"""`reports/metrics.json`: the numbers that `dvc metrics` and `dvc exp show` compare.

About thirty of them in a study of three tasks and four variants: whatever is a sentence, a
digest or a list stands in the reports instead.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gatewise.artifacts.comparison import Comparison
from gatewise.artifacts.data_report import DataReport
from gatewise.report import plots

VIOLATIONS = "data_violations"
"""Beside the names of variants, which never hold an underscore."""


def document(comparison: Comparison, data: str | Path = "reports/data") -> dict[str, Any]:
    """Scores by task and variant, and what must be zero of each task's data.

    Args:
        comparison: what was found.
        data: folder of data reports.
    """
    found: dict[str, Any] = {}
    for task, variants in plots.headline(comparison).items():
        path = Path(data, f"{task}.json")
        known = {VIOLATIONS: violations(DataReport.read(path))} if path.is_file() else {}
        found[task] = {**known, **variants}
    return found


def violations(report: DataReport) -> int:
    """How often the certificate's claims are violated beyond what the study allows."""
    return sum(check.count or 0 for check in report.certificate.values() if not check.allowed)
