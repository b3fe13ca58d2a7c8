"""Textbook sentences about LSTM and GRU, each with a measurement and a verdict.

A claim is *supported*, *refuted* or *inconclusive* by this study, on its tasks, budgets and
device; claims that need data which no task has are *not tested*. Where several tasks speak,
those that decide must agree: a claim that one supports and another refutes is inconclusive. A
claim about LSTM *and* GRU is supported where both bear it out, and refuted by either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gatewise.evidence import findings
from gatewise.evidence.findings import INCONCLUSIVE, REFUTED, SUPPORTED, Finding, Names

NOT_TESTED = "not tested"
SENTIMENT = ("reviews",)
"""Kinds of source whose labels are sentiments."""
COMMANDS = ("synthetic-commands", "speech-commands")
"""Kinds of source that are spoken commands."""
JOINT = ("gates-longer", "gradients-alive")
"""Claims about LSTM and GRU alike."""


def judge(comparison: Mapping[str, Any], probes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All claims with their verdicts, as plain data for `comparison.json`."""
    tasks, alpha = comparison["tasks"], comparison["alpha"]
    names = representatives(tasks)
    twins = names.lstm is not None and names.gru is not None and _equal_width(tasks, names)

    def everywhere(look: Any) -> list[Finding]:
        if names.lstm is None or names.gru is None:
            return []
        found = (look(name, task, names, alpha) for name, task in tasks.items())
        return [finding for finding in found if finding is not None]

    width = "At equal width, a GRU"
    stated: list[tuple[str, str, list[Finding]]] = [
        (
            "gates",
            "An LSTM has three gates and a cell state, a GRU two gates and none.",
            everywhere(findings.gates)[:1],
        ),
        (
            "fewer-parameters",
            f"{width} has three quarters of an LSTM's recurrent parameters.",
            everywhere(findings.less_of("recurrent_parameters", "parameters")) if twins else [],
        ),
        (
            "fewer-macs",
            f"{width} needs fewer multiply-accumulates than an LSTM.",
            everywhere(findings.less_of("macs_per_step", "macs_per_step")) if twins else [],
        ),
        (
            "faster-step",
            f"{width} trains faster per step (on this device and kernel).",
            everywhere(findings.step_time) if twins else [],
        ),
        (
            "faster-to-target",
            f"{width} reaches a target accuracy in less time (on this device and kernel).",
            everywhere(findings.time_to_target) if twins else [],
        ),
        (
            "overfits-less",
            "A GRU overfits less than an LSTM: its scores on training and test data differ less.",
            everywhere(findings.gap),
        ),
        (
            "lstm-longer",
            "An LSTM holds longer dependencies than a GRU.",
            findings.longer(probes, names.lstm, names.gru, alpha),
        ),
        (
            "gates-longer",
            "LSTM and GRU hold longer dependencies than a vanilla RNN.",
            [
                *findings.longer(probes, names.lstm, names.rnn, alpha),
                *findings.longer(probes, names.gru, names.rnn, alpha),
            ],
        ),
        (
            "gradients-alive",
            "LSTM and GRU keep gradients alive where a vanilla RNN does not.",
            [
                *findings.alive(probes, names.lstm, names.rnn, alpha),
                *findings.alive(probes, names.gru, names.rnn, alpha),
            ],
        ),
        (
            "sentiment",
            "LSTM is better for sentiment.",
            findings.better(comparison, SENTIMENT, names.lstm, names.gru),
        ),
        (
            "speech-commands",
            "GRU is better for speech commands.",
            findings.better(comparison, COMMANDS, names.gru, names.lstm),
        ),
        (
            "depends-on-task",
            "Whether LSTM or GRU is better depends on the task.",
            findings.depends(tasks, names),
        ),
        ("translation", "LSTM is better for machine translation.", []),
        ("captioning", "LSTM is better for image captioning.", []),
    ]
    return [
        _entry(name, statement, found, jointly if name in JOINT else together)
        for name, statement, found in stated
    ]


def representatives(tasks: Mapping[str, Any]) -> Names:
    """The first LSTM and vanilla RNN of the study, and the GRU of the LSTM's width."""
    variants: dict[str, Any] = {}
    for task in tasks.values():
        variants = {**task["variants"], **variants}
    by_cell = {
        cell: [name for name, cells in variants.items() if cells["cell"] == cell]
        for cell in ("lstm", "gru", "rnn")
    }
    lstm = next(iter(by_cell["lstm"]), None)
    width = variants[lstm]["hidden"] if lstm else None
    by_cell["gru"].sort(key=lambda name: variants[name]["hidden"] != width)
    return Names(lstm, next(iter(by_cell["gru"]), None), next(iter(by_cell["rnn"]), None))


def together(found: Sequence[Finding]) -> str:
    """One verdict from several findings: those that decide must agree."""
    said = {finding.verdict for finding in found} - {INCONCLUSIVE}
    if not found:
        return NOT_TESTED
    return said.pop() if len(said) == 1 else INCONCLUSIVE


def jointly(found: Sequence[Finding]) -> str:
    """One verdict on a claim about LSTM and GRU, a finding on each: both have to bear it out."""
    said = {finding.verdict for finding in found}
    if len(found) < 2:
        return NOT_TESTED
    if REFUTED in said:
        return REFUTED
    return SUPPORTED if said == {SUPPORTED} else INCONCLUSIVE


def _entry(
    name: str,
    statement: str,
    found: Sequence[Finding],
    verdict: Callable[[Sequence[Finding]], str],
) -> dict[str, Any]:
    return {
        "id": name,
        "statement": statement,
        "verdict": verdict(found),
        "evidence": {
            "sentence": " ".join(f.sentence for f in found) or "Nothing here measures it.",
            "link": next((f.link for f in found if f.link), None),
            "findings": [
                {
                    "verdict": f.verdict,
                    "effect": f.effect,
                    "interval": list(f.interval) if f.interval else None,
                    "link": f.link,
                }
                for f in found
            ],
        },
    }


def _equal_width(tasks: Mapping[str, Any], names: Names) -> bool:
    return any(
        names.lstm in task["variants"]
        and names.gru in task["variants"]
        and task["variants"][names.lstm]["hidden"] == task["variants"][names.gru]["hidden"]
        for task in tasks.values()
    )
