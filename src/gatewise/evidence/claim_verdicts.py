"""From findings to the verdict of a claim, and how much of the evidence bears it out."""

from __future__ import annotations

from collections.abc import Sequence

from gatewise.artifacts.comparison import ClaimVerdict, Finding
from gatewise.evidence.findings import INCONCLUSIVE, REFUTED, SUPPORTED

NOT_TESTED: ClaimVerdict = "not tested"


def tasks_agree(found: Sequence[Finding]) -> ClaimVerdict:
    """One verdict from the tasks' findings: those that decide must agree."""
    said = {finding.verdict for finding in found} - {INCONCLUSIVE}
    if not found:
        return NOT_TESTED
    return said.pop() if len(said) == 1 else INCONCLUSIVE


def all_support(found: Sequence[Finding], wanted: int) -> ClaimVerdict:
    """One verdict on a claim about several things, a finding on each: all have to bear it out."""
    said = {finding.verdict for finding in found}
    if len(found) < wanted:
        return NOT_TESTED
    if REFUTED in said:
        return REFUTED
    return SUPPORTED if said == {SUPPORTED} else INCONCLUSIVE


def agreed(found: Sequence[Finding], where: str, of: str) -> list[Finding]:
    """Findings of several tasks or problems about one comparison, as one of them.

    Its effect is that of the first that bears the verdict out; `where` says how many do.
    """
    if not found:
        return []
    verdict = tasks_agree(found)
    assert verdict != NOT_TESTED  # noqa: S101  # there are findings
    deciding = [finding for finding in found if finding.verdict == verdict]
    first = deciding[0] if deciding else found[0]
    counts = [finding.n for finding in found if finding.n is not None]
    return [
        first.model_copy(
            update={
                "verdict": verdict,
                "where": f"{where}, {scope(verdict, found, of)}",
                "n": min(counts, default=None),
                "sentence": " ".join(finding.sentence for finding in found),
            }
        )
    ]


def scope(verdict: ClaimVerdict, found: Sequence[Finding], of: str) -> str:
    """`1 of 3 tasks`: how many findings say what the verdict says."""
    if verdict == NOT_TESTED or not of:
        return ""
    unit = of.removesuffix("s") if len(found) == 1 else of
    if verdict == INCONCLUSIVE:
        supporting = sum(one.verdict == SUPPORTED for one in found)
        refuting = sum(one.verdict == REFUTED for one in found)
        if not supporting and not refuting:
            return f"open on {len(found)} {unit}"
        return f"{supporting} for, {refuting} against, of {len(found)} {unit}"
    bearing = sum(finding.verdict == verdict for finding in found)
    return f"{bearing} of {len(found)} {unit}"
