"""What findings from probes have in common: two reports, a budget, a verdict from a p-value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gatewise.artifacts.probes import ProbeReport
from gatewise.evidence.findings import INCONCLUSIVE, REFUTED, SUPPORTED, Verdict

Probes = Mapping[str, ProbeReport]
"""By variant."""
HOLDING = ("adding", "copy", "parity", "order", "recall", "digits")
"""Problems whose length is a time that something has to be held for; of parity, whose first bit
counts at the last step, while it changes with every one that comes."""


def both(probes: Probes, a: str | None, b: str | None) -> tuple[ProbeReport, ProbeReport] | None:
    """The reports of two variants, where both were probed."""
    first, second = probes.get(a or ""), probes.get(b or "")
    return None if first is None or second is None else (first, second)


def verdict(p: float, ahead: float, alpha: float) -> Verdict:
    """Supported where what is claimed to be ahead is so beyond chance."""
    if p > alpha or not ahead:
        return INCONCLUSIVE
    return SUPPORTED if ahead > 0 else REFUTED


def budget(reports: Sequence[ProbeReport], problem: str) -> str:
    """`1,500 updates of 32 examples`."""
    settings = reports[0].settings
    return f"{settings.updates_for(problem):,} updates of {settings.batch_size} examples"
