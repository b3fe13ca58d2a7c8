"""Textbook sentences about LSTM, GRU and the vanilla RNN, each with a measurement and a verdict.

A claim is *supported*, *refuted* or *inconclusive* by this study, on its tasks, budgets and
device; claims that need data which no task has are *not tested*. How much of the evidence bears a
verdict out stands beside it ("1 of 3 tasks"). Where several tasks speak, those that decide must
agree: a claim that one supports and another refutes is inconclusive. A claim about LSTM *and* GRU
is supported where both bear it out, and refuted by either.
"""

from __future__ import annotations

from collections.abc import Mapping

from gatewise.artifacts.comparison import (
    Claim,
    ClaimEvidence,
    Comparison,
    TaskComparison,
    VariantSummary,
)
from gatewise.evidence import textbook
from gatewise.evidence.claim_verdicts import all_support, scope, tasks_agree
from gatewise.evidence.findings import Representatives
from gatewise.evidence.probed import Probes
from gatewise.evidence.textbook import Stated


def judge(comparison: Comparison, probes: Probes) -> tuple[Claim, ...]:
    """All claims with their verdicts.

    Args:
        comparison: tasks with their pairs judged.
        probes: reports of the probed variants; may be empty.
    """
    names = representatives(comparison.tasks)
    stated = (
        *textbook.structure_and_cost(comparison, names),
        *textbook.held_and_learnt(probes, names, comparison.alpha),
        *textbook.starts(probes, names, comparison.alpha),
        *textbook.which_is_better(comparison, names),
    )
    return tuple(map(_claim, stated))


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


def _claim(stated: Stated) -> Claim:
    found = stated.found
    verdict = all_support(found, stated.joint) if stated.joint else tasks_agree(found)
    return Claim(
        id=stated.id,
        statement=stated.statement,
        source=stated.source,
        measured=stated.measured,
        verdict=verdict,
        scope=scope(verdict, found, stated.of),
        would_change=stated.would_change,
        evidence=ClaimEvidence(
            sentence=" ".join(f.sentence for f in found) or "Nothing here measures it.",
            link=next((f.link for f in found if f.link), None),
            findings=tuple(found),
        ),
    )
