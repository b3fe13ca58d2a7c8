"""Who becomes champion: one rule, whatever the evidence comes from.

A candidate replaces the champion that is shown to be better, or that is shown to be equivalent
and is cheaper by the stated rule (at least `gate.cheaper` fewer multiply-accumulates per step and
no more parameters). The best score never suffices. `by_gate` takes the evidence of the gate,
`by_comparison` that of the study's own comparison; both hand it to `choose`. The first champion
has nobody to be better than: it is what the study's answer says to take (`first`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gatewise.artifacts.comparison import EQUIVALENT, TaskComparison
from gatewise.config import GateConfig
from gatewise.delivery.gate.costs import Cost
from gatewise.delivery.gate.rule import PASS, Check
from gatewise.evidence import statistics
from gatewise.report import words

NO_CHAMPION = "there was no champion"


@dataclass(frozen=True)
class Promotion:
    """Whether a task's champion is replaced, by what and why."""

    task: str
    promote: bool
    variant: str | None
    reason: str


@dataclass(frozen=True)
class Standing:
    """What is known of one candidate against the champion."""

    variant: str
    cost: Cost
    better: bool
    """Shown to be better."""
    equivalent: bool
    """Shown to be equivalent."""
    evidence: str
    """In words, without a full stop."""
    gain: float = 0.0
    """How much better it scored; ranks those that are better."""


def choose(
    task: str, standings: Sequence[Standing], champion: Cost, settings: GateConfig
) -> Promotion:
    """Apply the rule.

    Args:
        task: its name.
        standings: every candidate that nothing else keeps from promotion.
        champion: what the champion costs.
        settings: the gate's, of which `cheaper` counts.
    """
    better = [one for one in standings if one.better]
    if better:
        best = max(better, key=lambda one: one.gain)
        return Promotion(task, True, best.variant, best.evidence)
    equal = [one for one in standings if one.equivalent]
    cheaper = [one for one in equal if one.cost.saves(champion, settings.cheaper)]
    if cheaper:
        least = min(cheaper, key=lambda one: (one.cost.macs_per_step, one.cost.parameters))
        saved = 1 - least.cost.macs_per_step / champion.macs_per_step
        reason = f"{least.evidence}; it needs {saved:.0%} fewer multiply-accumulates"
        return Promotion(task, True, least.variant, reason)
    if len(standings) != 1:
        reason = "no candidate is shown to be better, or equal and cheaper"
    else:
        reason = standings[0].evidence
        if equal:
            reason += f"; it does not need {settings.cheaper:.0%} fewer multiply-accumulates"
    return Promotion(task, False, None, reason)


def by_gate(
    task: str,
    checks: Sequence[Check],
    verdict: str,
    costs: Mapping[str, Cost],
    champion: Cost,
    settings: GateConfig,
    rope: float,
) -> Promotion:
    """Whether one of a task's candidates replaces the champion on the word of the gate.

    Tests of "better" and of "equivalent" are corrected over the candidates: trying many makes a
    lucky one no likelier.

    Args:
        task: its name.
        checks: every candidate against the champion, decided.
        verdict: the merge verdict of the task.
        costs: of each candidate variant.
        champion: what the champion costs.
        settings: the gate's.
        rope: differences within this, in the metric's own value, count as equal.
    """
    if verdict != PASS:
        return Promotion(task, False, None, f"the gate says {verdict}")
    able = [check for check in checks if check.gain is not None and not check.barred(settings)]
    p_values = statistics.holm([check.gain.p_above() for check in able if check.gain])
    standings = [
        _standing(check, costs[check.variant], p, len(able), settings, rope)
        for check, p in zip(able, p_values, strict=True)
    ]
    return choose(task, standings, champion, settings)


def _standing(
    check: Check, cost: Cost, p: float | None, family: int, settings: GateConfig, rope: float
) -> Standing:
    """One candidate; `p` is the corrected p-value of "better", `family` their number."""
    gain, metric = check.gain, check.metric
    assert gain is not None  # noqa: S101
    low, high = gain.bounds(settings.alpha / family)
    better = p is not None and p <= settings.alpha
    equivalent = not better and low > -rope and high < rope
    if better:
        said = f"better than the champion by {metric.show_amount(gain.value)}"
    elif equivalent:
        said = f"equivalent to the champion within {metric.show_amount(rope)}"
    else:
        said = "neither shown to be better than the champion nor equivalent"
    return Standing(
        check.variant,
        cost,
        better,
        equivalent,
        f"{said} ({check.span(settings.alpha / 2)})",
        gain.value,
    )


def first(task: str, comparison: TaskComparison, variant: str | None = None) -> Promotion:
    """The first champion of a task.

    Args:
        task: its name.
        comparison: what the study says of it.
        variant: who is to be champion; the answer's choice when left out.
    """
    variant = variant or comparison.to_take
    return Promotion(task, True, variant, f"{NO_CHAMPION}; {why(comparison, variant)}")


def why(comparison: TaskComparison, variant: str) -> str:
    """How a variant stands to the study's answer, in words."""
    answer = comparison.answer
    if answer is None:
        best = variant == comparison.leader
        return f"{variant} has {'the best' if best else 'not the best'} mean score"
    if variant != answer.choice:
        return f"{variant} was asked for, the answer's choice is {answer.choice}"
    return f"the answer's choice, {answer.sentence.removeprefix('take ')}"


def by_comparison(
    task: str,
    comparison: TaskComparison,
    variant: str,
    champion: str | None,
    settings: GateConfig,
    *,
    compared: bool = True,
) -> Promotion:
    """Whether `variant` may replace the champion on the word of the study's own comparison.

    A comparison of other runs than the champion, be they of its variant, says nothing about it:
    that is the gate's to decide.

    Args:
        task: its name.
        comparison: what the study says of it.
        variant: who may become champion.
        champion: variant of the champion, if there is one.
        settings: the gate's, of which `cheaper` counts.
        compared: whether the champion is one of the runs compared.
    """

    def refused(reason: str) -> Promotion:
        return Promotion(task, False, None, reason)

    if champion is None:
        return first(task, comparison, variant)
    if not compared:
        return refused(
            "the champion is none of the runs compared here, so nothing is known against it; "
            "`gatewise gate` compares both on the same test examples, and `gatewise retrain "
            "--promote` acts on its word"
        )
    if champion == variant:
        return refused(f"the champion is a run of {variant} already")
    pair = comparison.pair(variant, champion)
    if pair is None:
        return refused(f"{variant} was never compared with the champion {champion}")
    new, old = (
        Cost(scored.macs_per_step, scored.parameters)
        for scored in (comparison.variants[variant], comparison.variants[champion])
    )
    standing = Standing(
        variant,
        new,
        better=pair.verdict == variant,
        equivalent=pair.verdict == EQUIVALENT,
        evidence=words.sentence(pair, comparison.metric.definition).removesuffix("."),
    )
    return choose(task, [standing], old, settings)
