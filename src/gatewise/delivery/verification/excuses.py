"""Why a run executed again on this machine may give other bits than its record names.

A run under `portable` has none on a processor that can compute so, with the same libraries: there
another digest means that something is wrong.
"""

from __future__ import annotations

from gatewise.artifacts.runs import RunRecord
from gatewise.training import instructions
from gatewise.training.instructions import Instructions


def computable(mode: str) -> Instructions:
    """What stands in for `mode` on this machine: itself, or `native` where it cannot be had."""
    known = next((name for name in instructions.MODES if name == mode), instructions.MODES[-1])
    return known if instructions.is_x86() and not instructions.lacking() else "native"


def of_machine(mode: str) -> list[str]:
    """Why bits made with `mode` may be others here, a clause each; none where they must not be."""
    if mode == "native":
        return ["it was computed natively, with all that its machine had"]
    if not instructions.is_x86():
        return [f"this processor is no x86-64, so {mode} promises nothing here"]
    missing = instructions.lacking()
    if missing:
        return [f"this processor has no {' and no '.join(missing)}"]
    return []


def of_record(record: RunRecord, again: RunRecord) -> list[str]:
    """Why the two records may differ whatever machine they are from."""
    found = []
    if again.versions != record.versions:
        names = {*record.versions, *again.versions}
        changed = sorted(n for n in names if again.versions.get(n) != record.versions.get(n))
        found.append(f"other versions of {', '.join(changed)}")
    if record.accelerator != "cpu":
        found.append(f"it was trained on {record.accelerator}")
    if record.compile:
        found.append("its steps were compiled for its machine (execution.compile)")
    return found
