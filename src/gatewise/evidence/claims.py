"""Textbook sentences about LSTM and GRU, each with a measurement and a verdict.

A claim is *supported*, *refuted* or *inconclusive* by this study, on its tasks, budgets and
device; claims that need data which no task has are *not tested*. Where several tasks speak,
those that decide must agree: a claim that one supports and another refutes is inconclusive. A
claim about LSTM *and* GRU is supported where both bear it out, and refuted by either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gatewise.artifacts.comparison import (
    Claim,
    ClaimEvidence,
    ClaimVerdict,
    Comparison,
    Finding,
    TaskComparison,
    VariantSummary,
)
from gatewise.evidence import findings
from gatewise.evidence.findings import (
    INCONCLUSIVE,
    REFUTED,
    SUPPORTED,
    LookAtTask,
    Probes,
    Representatives,
)

NOT_TESTED: ClaimVerdict = "not tested"
SENTIMENT = ("reviews",)
"""Kinds of source whose labels are sentiments."""
COMMANDS = ("synthetic-commands", "speech-commands")
"""Kinds of source that are spoken commands."""
JOINT = ("gates-longer", "gradients-alive")
"""Claims about LSTM and GRU alike."""


def judge(comparison: Comparison, probes: Probes) -> tuple[Claim, ...]:
    """All claims with their verdicts.

    Args:
        comparison: tasks with their pairs judged.
        probes: reports of the probed variants; may be empty.
    """
    tasks, alpha = comparison.tasks, comparison.alpha
    names = representatives(tasks)
    equally_wide = _equal_width(tasks, names)

    def on_every_task(look: LookAtTask) -> list[Finding]:
        found = (look(name, task, names, alpha) for name, task in tasks.items())
        return [finding for finding in found if finding is not None]

    def at_equal_width(look: LookAtTask) -> list[Finding]:
        return on_every_task(look) if equally_wide else []

    width = "At equal width, a GRU"
    stated: list[tuple[str, str, list[Finding]]] = [
        (
            "gates",
            "An LSTM has three gates and a cell state, a GRU two gates and none.",
            on_every_task(findings.gates)[:1],
        ),
        (
            "fewer-parameters",
            f"{width} has three quarters of an LSTM's recurrent parameters.",
            at_equal_width(findings.fewer_parameters),
        ),
        (
            "fewer-macs",
            f"{width} needs fewer multiply-accumulates than an LSTM.",
            at_equal_width(findings.fewer_macs),
        ),
        (
            "faster-step",
            f"{width} trains faster per step (on this device and kernel).",
            at_equal_width(findings.step_time),
        ),
        (
            "faster-to-target",
            f"{width} reaches a target score in less time (on this device and kernel).",
            at_equal_width(findings.time_to_target),
        ),
        (
            "overfits-less",
            "A GRU overfits less than an LSTM: its scores on training and test data differ less.",
            on_every_task(findings.gap),
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
    return tuple(
        _claim(name, statement, found, all_support if name in JOINT else tasks_agree)
        for name, statement, found in stated
    )


def representatives(tasks: Mapping[str, TaskComparison]) -> Representatives:
    """The first LSTM and vanilla RNN of the study, and the GRU of the LSTM's width."""
    variants: dict[str, VariantSummary] = {}
    for task in tasks.values():
        variants = {**task.variants, **variants}
    lstm, gru, rnn = (
        [name for name, variant in variants.items() if variant.cell == cell]
        for cell in ("lstm", "gru", "rnn")
    )
    width = variants[lstm[0]].hidden if lstm else None
    gru.sort(key=lambda name: variants[name].hidden != width)
    return Representatives(*(next(iter(of_cell), None) for of_cell in (lstm, gru, rnn)))


def tasks_agree(found: Sequence[Finding]) -> ClaimVerdict:
    """One verdict from the tasks' findings: those that decide must agree."""
    said = {finding.verdict for finding in found} - {INCONCLUSIVE}
    if not found:
        return NOT_TESTED
    return said.pop() if len(said) == 1 else INCONCLUSIVE


def all_support(found: Sequence[Finding]) -> ClaimVerdict:
    """One verdict on a claim about LSTM and GRU, a finding on each: both have to bear it out."""
    said = {finding.verdict for finding in found}
    if len(found) < 2:
        return NOT_TESTED
    if REFUTED in said:
        return REFUTED
    return SUPPORTED if said == {SUPPORTED} else INCONCLUSIVE


def _claim(
    name: str,
    statement: str,
    found: Sequence[Finding],
    verdict: Callable[[Sequence[Finding]], ClaimVerdict],
) -> Claim:
    return Claim(
        id=name,
        statement=statement,
        verdict=verdict(found),
        evidence=ClaimEvidence(
            sentence=" ".join(f.sentence for f in found) or "Nothing here measures it.",
            link=next((f.link for f in found if f.link), None),
            findings=tuple(found),
        ),
    )


def _equal_width(tasks: Mapping[str, TaskComparison], names: Representatives) -> bool:
    both = (names.on(task) for task in tasks.values())
    return any(pair is not None and pair[0].hidden == pair[1].hidden for pair in both)
