"""A pair of variants: measured on the seeds that both finished, corrected, and judged.

## The verdict rule

For a pair `(a, b)` of one task, over the seeds that both finished:

1. **equivalent**, if two one-sided tests place the difference within +-`compare.rope`;
2. else **a** or **b**, whichever is better on average, if the sign-flip test is significant;
3. else **undecided**, with the number of seeds that are still needed.

Both tests are exact and run at level `compare.alpha`. For the pairs declared in
`compare.primary` their p-values are corrected by Holm's method, each kind over the primary
pairs of all tasks together. The other pairs are secondary: uncorrected, labelled
exploratory, a reason to declare a pair primary in the next study and no more.

Equivalence is asked first because a difference can be both real and too small to matter.
Where seeds are added in rounds, both tests run at the level that `gatewise.evidence.sequential`
grants to each round, and a decided pair stays decided.

The seeds decide, on the test set at hand. How far other speakers or films would move the
difference is reported apart (`test_noise`), never folded into the verdict.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gatewise.artifacts.comparison import (
    EQUIVALENT,
    UNDECIDED,
    Noise,
    Pair,
    PairMeasurement,
    Ratio,
)
from gatewise.artifacts.costs import CostReport
from gatewise.config import CompareConfig
from gatewise.config.metrics import Metric
from gatewise.evidence import seeds_needed, sequential, statistics

# --- measuring -----------------------------------------------------------------------------


def ordered(
    variants: Sequence[str], primary: Sequence[tuple[str, str]]
) -> list[tuple[str, str, bool]]:
    """All pairs of `variants`: the primary ones as declared, then the rest, flagged."""
    declared = [(a, b) for a, b in primary if a in variants and b in variants]
    known = {frozenset(pair) for pair in declared}
    rest = [pair for pair in itertools.combinations(variants, 2) if frozenset(pair) not in known]
    return [(*pair, True) for pair in declared] + [(*pair, False) for pair in rest]


@dataclass(frozen=True)
class Subject:
    """Two variants of one task, about to be measured."""

    a: str
    b: str
    primary: bool
    seeds: Sequence[int]
    """Seeds that both finished on the same test examples."""
    noise: Noise | None
    """Of the difference, over seeds and test groups."""
    step_time: Ratio | None


def measure(
    subject: Subject,
    scores: Mapping[str, Mapping[int, float]],
    metric: Metric,
    settings: CompareConfig,
) -> PairMeasurement:
    """A pair over its seeds.

    Args:
        subject: the pair.
        scores: test score by variant and seed.
        metric: what they are scores of.
        settings: levels, resamples and the region of practical equivalence.
    """
    a, b = subject.a, subject.b
    of_a = np.array([scores[a][seed] for seed in subject.seeds])
    of_b = np.array([scores[b][seed] for seed in subject.seeds])
    d = of_a - of_b
    level = 1 - settings.alpha
    test = statistics.sign_flip(d)

    def order(x: statistics.Floats, y: statistics.Floats) -> float | None:
        sign = metric.gain(1.0)
        return statistics.almost_stochastic_order(sign * x, sign * y, settings.alpha)

    return PairMeasurement(
        a=a,
        b=b,
        primary=subject.primary,
        seeds=tuple(subject.seeds),
        difference=float(d.mean()) if len(d) else None,
        std=float(d.std(ddof=1)) if len(d) > 1 else None,
        ci=statistics.mean_interval(d, level, settings.resamples),
        p_value=test.two_sided if test else None,
        p_superiority=statistics.superiority(metric.gain(1.0) * d),
        p_superiority_ci=statistics.superiority_interval(metric.gain(1.0) * d, level),
        effect_size=statistics.effect_size(d),
        almost_stochastic_order={a: order(of_a, of_b), b: order(of_b, of_a)},
        rope=settings.rope,
        p_equivalence=statistics.equivalence(d, settings.rope),
        test_noise=subject.noise,
        differences=tuple(d.tolist()),
        step_time=subject.step_time,
    )


def step_time(cost: CostReport | None, a: str, b: str, alpha: float) -> Ratio | None:
    """A training step of `a` to one of `b`: median over rounds, in which they took turns."""
    if cost is None or a not in cost.variants or b not in cost.variants:
        return None
    of_a, of_b = (np.array(cost.variants[name].train_step_ms.rounds) for name in (a, b))
    ratios = of_a / of_b
    return Ratio(ratio=float(np.median(ratios)), ci=statistics.median_interval(ratios, 1 - alpha))


# --- judging -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judgement:
    """What becomes of a measured pair."""

    p_value_holm: float | None = None
    p_equivalence_holm: float | None = None
    verdict: str = UNDECIDED
    decided_at: int | None = None


def decide(gain: float, p_value: float | None, p_equivalence: float | None, alpha: float) -> str:
    """Apply the verdict rule (see the module) to corrected p-values.

    Args:
        gain: difference, turned so that `a` is better where it is above zero.
        p_value: of the sign-flip test.
        p_equivalence: of the two one-sided tests.
        alpha: level of both.

    Returns:
        `a`, `b`, `equivalent` or `undecided`.
    """
    if p_equivalence is not None and p_equivalence <= alpha:
        return EQUIVALENT
    if p_value is not None and p_value <= alpha:
        return "a" if gain > 0 else "b"
    return UNDECIDED


def judge(
    measured: Sequence[tuple[Metric, PairMeasurement]],
    settings: CompareConfig,
    looks: Sequence[int] | None = None,
) -> list[Pair]:
    """Verdicts of the pairs of all tasks together, in the order given.

    Args:
        measured: pairs with the metric of their task.
        settings: levels and the region of practical equivalence.
        looks: seed counts at which results are looked at, where seeds are added in rounds.
    """
    primary = [i for i, (_, pair) in enumerate(measured) if pair.primary]
    judgements = [Judgement() for _ in measured]
    corrected = _corrected([measured[i][1] for i in primary])
    for i, (p_value, p_equivalence) in zip(primary, corrected, strict=True):
        judgements[i] = Judgement(p_value, p_equivalence)
    for i, (metric, pair) in enumerate(measured):
        verdict = _verdict(metric, pair, judgements[i], settings.alpha)
        judgements[i] = replace(judgements[i], verdict=verdict)
    if looks is not None:
        decisions = _decisions([measured[i] for i in primary], looks, settings)
        for i, decision in zip(primary, decisions, strict=True):
            verdict = _named(measured[i][1], decision.verdict)
            judgements[i] = replace(judgements[i], verdict=verdict, decided_at=decision.look)
    tests = family(pair for _, pair in measured)
    return [
        _judged(
            pair,
            judgement,
            settings,
            tests if pair.primary else 1,
            looks if pair.primary else None,
        )
        for (_, pair), judgement in zip(measured, judgements, strict=True)
    ]


def _judged(
    pair: PairMeasurement,
    judgement: Judgement,
    settings: CompareConfig,
    tests: int,
    looks: Sequence[int] | None,
) -> Pair:
    needed = _seeds_needed(pair, judgement.verdict, settings, tests, looks)
    done = len(pair.seeds)
    return Pair(
        **dict(pair),
        p_value_holm=judgement.p_value_holm,
        p_equivalence_holm=judgement.p_equivalence_holm,
        verdict=judgement.verdict,
        decided_at=judgement.decided_at,
        seeds_needed=_still(needed.seeds, done) if needed else None,
        seeds_needed_interval=(
            (_still(needed.low, done), _still(needed.high, done)) if needed else None
        ),
    )


def family(pairs: Iterable[PairMeasurement]) -> int:
    """How many primary pairs could be tested: what Holm's method corrects over."""
    return sum(pair.primary and pair.p_value is not None for pair in pairs)


def _corrected(
    primary: Sequence[PairMeasurement],
) -> list[tuple[float | None, float | None]]:
    """Holm's correction, each kind of test over the primary pairs of all tasks."""
    different = statistics.holm([pair.p_value for pair in primary])
    equal = statistics.holm([pair.p_equivalence for pair in primary])
    return list(zip(different, equal, strict=True))


def _verdict(metric: Metric, pair: PairMeasurement, corrected: Judgement, alpha: float) -> str:
    if pair.difference is None:
        return UNDECIDED
    p_values = (
        (corrected.p_value_holm, corrected.p_equivalence_holm)
        if pair.primary
        else (pair.p_value, pair.p_equivalence)
    )
    return _named(pair, decide(metric.gain(pair.difference), *p_values, alpha))


def _named(pair: PairMeasurement, verdict: str) -> str:
    """A verdict with the winner's name in place of `a` or `b`."""
    return {"a": pair.a, "b": pair.b}.get(verdict, verdict)


def _decisions(
    primary: Sequence[tuple[Metric, PairMeasurement]],
    looks: Sequence[int],
    settings: CompareConfig,
) -> list[sequential.Decision]:
    gains = {
        # All are judged by one region of equivalence, so they come in units of their own.
        str(i): [metric.gain(d) * _unit(pair, settings) for d in pair.differences]
        for i, (metric, pair) in enumerate(primary)
    }
    decisions = sequential.decide(gains, looks, settings.rope, settings.alpha)
    return [decisions[name] for name in gains]


def _unit(pair: PairMeasurement, settings: CompareConfig) -> float:
    """Factor by which a pair's differences fit the common region of equivalence."""
    return settings.rope / pair.rope if pair.rope else 1.0


def _seeds_needed(
    pair: PairMeasurement,
    verdict: str,
    settings: CompareConfig,
    tests: int,
    looks: Sequence[int] | None,
) -> seeds_needed.Expected | None:
    """Seeds at which an undecided pair is expected to be decided; else `None`."""
    if verdict != UNDECIDED:
        return None
    level, confidence = settings.alpha / max(tests, 1), 1 - settings.alpha
    return seeds_needed.expected(
        pair.differences, pair.rope, level, settings.power, confidence, looks or ()
    )


def _still(total: int, done: int) -> int:
    """Seeds to add; an undecided pair needs one at least."""
    return max(1, total - done)
