"""An answer in plain words. Bounds are rounded up, so that no sentence promises too much."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gatewise.artifacts.answer import Answer, Cost, Rule
from gatewise.config.metrics import Metric
from gatewise.evidence import best

NAMES: dict[Rule, str] = {
    "accuracy": "score",
    "macs": "multiply-accumulates",
    "parameters": "parameters",
    "step_time": "time of a training step",
    "latency": "latency of one example",
}
WIDER = 1.5
"""Times a shortfall has to grow over other test groups for the sentence to warn."""
ALIKE = 0.02
"""Counted costs that differ by less are alike."""
AS_FAST = 0.05
"""So are times."""


def amount(value: float, metric: Metric, digits: int | None = None) -> str:
    """A bound for people, rounded up: `0.9 points`, `0.013 nats`."""
    digits = metric.unit.digits if digits is None else digits
    scaled = math.ceil(metric.scaled(value) * 10**digits - 1e-6) / 10**digits
    return f"{scaled:.{digits}f} {metric.unit.difference}"


def margin(value: float, metric: Metric) -> str:
    """A declared amount: `1 point`, `0.5 points`, `0.01 nats`."""
    text = f"{metric.scaled(value):g} {metric.unit.difference}"
    return text.removesuffix("s") if text == "1 points" else text


def sentence(answer: Answer, metric: Metric) -> str:
    """What to take, what it costs at worst, what it saves, and what else could be said."""
    parts = [f"take {answer.choice}: {_bound(answer, metric)}{_saved(answer)}"]
    parts += _cheaper(answer, metric)
    parts += _beyond(answer, metric)
    parts += _by_score_alone(answer, metric)
    return "; ".join(parts)


def _bound(answer: Answer, metric: Metric) -> str:
    level = f"{100 * answer.level:g} %"
    if len(answer.by_variant) == 1:
        return "there is no other variant to compare it with"
    if answer.shortfall is None:
        return "best so far, but with too few seeds for a bound"
    if answer.shortfall == 0:
        return f"no other variant is better ({level})"
    text = f"at most {amount(answer.shortfall, metric)} below the best ({level})"
    if not answer.within_tolerance:
        text += f", more than the {margin(answer.tolerance, metric)} allowed"
    return text


def counted_by(rule: Rule) -> Cost:
    """The counted cost that a sentence names where a study chooses by `rule`."""
    return "parameters" if rule == "parameters" else "macs"


def alike(a: Mapping[Cost, float], b: Mapping[Cost, float], cost: Cost) -> bool:
    """Whether two variants cost the same, or it is not known."""
    if not (a.get(cost) and b.get(cost)):
        return True
    return abs(a[cost] / b[cost] - 1) < ALIKE


def _ratios(answer: Answer) -> tuple[str, Mapping[Cost, float], float | None]:
    """What one would take instead, its costs over the choice's, and the counted one of them."""
    assert answer.compared_with is not None  # noqa: S101
    ratios = answer.by_variant[answer.compared_with].cost_ratio
    return answer.compared_with, ratios, ratios.get(counted_by(answer.rule))


def _saved(answer: Answer) -> str:
    """What the choice saves against what one would take instead."""
    if answer.compared_with is None:
        return ""
    other, ratios, counted = _ratios(answer)
    if counted is not None and counted < 1 - ALIKE:
        return ""  # it costs more: `_cheaper` says what for
    phrases, than = list[str](), f" as {other}"
    if counted is not None and counted > 1 + ALIKE:
        fewer = f"{100 * (1 - 1 / counted):.0f} % fewer {NAMES[counted_by(answer.rule)]}"
        phrases, than = [f"{fewer} than {other}"], ""
    phrases += [_timed(ratios[cost], what, than) for cost, what in _times(answer, ratios)]
    return "".join(f", {phrase}" for phrase in phrases)


def _cheaper(answer: Answer, metric: Metric) -> list[str]:
    """Of a choice that costs more: what the cheaper one may lack, which is why it is not taken."""
    if answer.compared_with is None:
        return []
    other, ratios, counted = _ratios(answer)
    if counted is None or counted >= 1 - ALIKE:
        return []
    text = f"{other} needs {100 * (1 - counted):.0f} % fewer {NAMES[counted_by(answer.rule)]}"
    longer = [(what, ratios[cost]) for cost, what in _times(answer, ratios)]
    text += "".join(
        f" (though {what} takes {times:.1f} times as long here)"
        for what, times in longer
        if times > 1 + AS_FAST
    )
    lacking = answer.by_variant[other].shortfall
    if lacking is not None and lacking > (answer.shortfall or 0):
        text += f", but may lie {amount(lacking, metric)} below the best"
    return [text]


def _times(answer: Answer, ratios: Mapping[Cost, float]) -> list[tuple[Cost, str]]:
    """Measured costs that the sentence tells, with what took the time."""
    told: list[tuple[Cost, str]] = [("step_time", "a step")]
    if answer.rule == "latency":
        told.append(("latency", "an answer"))
    return [(cost, what) for cost, what in told if cost in ratios]


def _timed(times: float, what: str, than: str) -> str:
    """Speed beside the other's; what the clock said is said to be of this machine."""
    if abs(times - 1) < AS_FAST:
        return f"as fast {what} here{than}"
    if times > 1:
        return f"{times:.1f} times as fast {what} here{than}"
    return f"{what} takes {1 / times:.1f} times as long here{than}"


def _beyond(answer: Answer, metric: Metric) -> list[str]:
    """A warning where other test groups could cost much more."""
    own, wider = answer.shortfall, answer.shortfall_over_groups
    if own is None or wider is None or wider <= max(WIDER * own, answer.tolerance):
        return []
    return [f"on other test groups at most about {amount(wider, metric)}"]


def _by_score_alone(answer: Answer, metric: Metric) -> list[str]:
    """What to take if cost is of no matter, unless that is the choice itself."""
    if answer.contenders == (answer.choice,) or answer.shortfall is None:
        return []
    if len(answer.contenders) == 1:
        return [f"if only {metric.title} counts: {answer.contenders[0]}"]
    *first, last = answer.contenders
    names = f"{', '.join(first)} or {last}"
    return [f"if only {metric.title} counts: {names}, the data do not say which"]


def caveats(answer: Answer, metric: Metric) -> list[str]:
    """Why the answer is no better, a sentence each."""
    sentences = []
    if len(answer.by_variant) == 1:
        sentences.append("Only one variant was trained: nothing can be said of the best.")
    elif answer.shortfall is None:
        fewest = best.fewest_seeds(1 - answer.level)
        sentences.append(
            f"{answer.unit_words} cannot bound anything at {100 * answer.level:g} %: that takes "
            f"{fewest} at least."
        )
    if answer.chosen_by != answer.rule:
        sentences.append(
            f"compare.choose is {answer.rule}, but the {NAMES[answer.rule]} was not measured for "
            f"every variant (run `dvc repro profile`); the choice goes by {metric.title} instead."
        )
    return sentences


def resolution(answer: Answer, metric: Metric, examples: int | None) -> list[str]:
    """Say so where the tolerance is finer than one test example, if it is a share of them."""
    if examples is None or metric.by_class or not metric.higher_is_better:
        return []
    if answer.tolerance >= 1 / examples:
        return []
    return [
        f"compare.tolerance is {margin(answer.tolerance, metric)}, but one of {examples:,} test "
        f"examples is {amount(1 / examples, metric, 2)}: no test set of this size can resolve it."
    ]
