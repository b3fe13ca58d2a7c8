"""Why a run executed again on this machine may give other bits than its record names.

A run under `portable` has none on a processor that can compute so, with the same libraries: there
another digest means that something is wrong. The one exception is MKL, whose code for Intel's
processors is not that for others; `compatible` does without it.
"""

from __future__ import annotations

from pathlib import Path

from gatewise.artifacts.runs import RunRecord
from gatewise.files import read_json
from gatewise.training import instructions
from gatewise.training.instructions import Instructions

VENDORS = {"GenuineIntel": "Intel", "AuthenticAMD": "AMD", "HygonGenuine": "Hygon"}


def computable(mode: str) -> Instructions:
    """What stands in for `mode` on this machine: itself, or `native` where it cannot be had."""
    known = next((name for name in instructions.MODES if name == mode), instructions.MODES[-1])
    return known if instructions.is_x86() and not instructions.lacking() else "native"


def of_machine(mode: str, reports: str | Path = "reports") -> list[str]:
    """Why bits made with `mode` may be others here, a clause each; none where they must not be.

    Args:
        mode: what the record says computed.
        reports: where `profile` says on which processor the study ran.
    """
    if mode == "native":
        return ["it was computed natively, with all that its machine had"]
    if not instructions.is_x86():
        return [f"this processor is no x86-64, so {mode} promises nothing here"]
    missing = instructions.lacking()
    if missing:
        return [f"this processor has no {' and no '.join(missing)}"]
    here, there = _vendor(instructions.processor().get("vendor", "")), _study_vendor(reports)
    if mode == "portable" and there is not None and here is not None and here != there:
        return [f"the study ran on a processor of {there}, this one is {here}'s"]
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


def _vendor(name: str) -> str | None:
    return VENDORS.get(name, name or None)


def _study_vendor(reports: str | Path) -> str | None:
    """Whose processor the study's times were measured on, as far as its name says."""
    for path in sorted(Path(reports, "cost").glob("*.json")):
        device = str(read_json(path).get("device", ""))
        for vendor in VENDORS.values():
            if vendor in device:
                return vendor
    return None
