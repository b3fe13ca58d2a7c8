"""A task's answer: from scores over paired seeds to what to take.

The rule was declared before the results were seen (`compare.choose`, `compare.tolerance`): the
cheapest variant whose shortfall stays within the tolerance, or the one with the smallest
shortfall, where the metric alone counts or no variant is known to be near enough. The method
stands in `gatewise.evidence.best` and `race`, the words in `answer_words`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gatewise.artifacts.answer import COSTS, MEASURED, Answer, Cost, Rule, VariantAnswer
from gatewise.artifacts.comparison import VariantSummary
from gatewise.config import CompareConfig
from gatewise.config.metrics import Metric
from gatewise.evidence import answer_words, best_over_groups, bootstrap, race
from gatewise.evidence.paired_scores import PairedScores
from gatewise.evidence.prediction_counts import PredictionCounts
from gatewise.evidence.race import Place


@dataclass(frozen=True)
class Question:
    """What an answer is sought to."""

    metric: Metric
    settings: CompareConfig
    looks: Sequence[int] | None
    """Seed counts at which results are looked at, where seeds are added in rounds."""
    generalises_over: str
    """What the bounds speak of, beside other seeds."""


def find(
    question: Question,
    paired: PairedScores,
    variants: Mapping[str, VariantSummary],
    predictions: Mapping[str, Mapping[int, PredictionCounts]],
) -> Answer | None:
    """The answer that the scores allow.

    Args:
        question: metric, rule and looks.
        paired: scores on the seeds that variants share.
        variants: what each variant scores and costs, in the study's order.
        predictions: of each variant and seed, where they were kept.

    Returns:
        `None` where no variant has a usable run.
    """
    if not variants:
        return None
    settings, metric = question.settings, question.metric
    gains = {name: [metric.gain(v) for v in paired.units(name)] for name in variants}
    # Looks within one round of seeds see the same whole rounds: they are one look.
    looks = question.looks and sorted({paired.unit_count(n) for n in question.looks})
    units = max(map(len, gains.values()))
    places = race.follow(gains, race.looks(looks, units, settings.alpha))
    order = sorted(variants, key=lambda name: -metric.gain(variants[name].mean))
    costs = {name: _costs(summary) for name, summary in variants.items()}
    rule = followed(settings.choose, costs)
    choice = choose(rule, settings.tolerance, order, places, costs)
    over_groups = _over_groups(question, paired, places, predictions)
    contenders = tuple(name for name in order if places[name].contender)
    by_variant = {
        name: VariantAnswer(
            contender=places[name].contender,
            shortfall=_known(places[name].shortfall),
            shortfall_over_groups=over_groups.get(name),
            seeds=len(paired.seeds(name, places[name].units)),
            cost_ratio={
                cost: value / costs[choice][cost]
                for cost, value in costs[name].items()
                if costs[choice].get(cost)
            },
        )
        for name in variants
    }
    own = by_variant[choice]
    # Before the first look nothing was weighed.
    weighed = places[choice].units or units
    answer = Answer(
        choice=choice,
        rule=settings.choose,
        chosen_by=rule,
        tolerance=settings.tolerance,
        within_tolerance=own.shortfall is not None and own.shortfall <= settings.tolerance,
        level=1 - settings.alpha,
        generalises_over=question.generalises_over,
        units=weighed,
        unit_words=paired.named(weighed),
        shortfall=own.shortfall,
        shortfall_over_groups=own.shortfall_over_groups,
        contenders=contenders,
        compared_with=_compared_with(choice, (*contenders, *order), settings.choose, costs),
        by_variant=by_variant,
        sentence="",
    )
    caveats = [
        *paired.left_out,
        *answer_words.caveats(answer, metric),
        *answer_words.resolution(answer, metric, _test_examples(predictions)),
    ]
    return answer.model_copy(
        update={"sentence": answer_words.sentence(answer, metric), "caveats": tuple(caveats)}
    )


def choose(
    rule: Rule,
    tolerance: float,
    order: Sequence[str],
    places: Mapping[str, Place],
    costs: Mapping[str, Mapping[Cost, float]],
) -> str:
    """The variant to take; of equals the one with the better mean.

    Args:
        rule: what to choose by.
        tolerance: the largest shortfall that is acceptable.
        order: variants by their mean, the best first.
        places: the variants' shortfalls.
        costs: what each costs.
    """
    near = [name for name in order if places[name].shortfall <= tolerance]
    if rule != "accuracy" and near:
        return min(near, key=lambda name: costs[name][rule])
    return min(order, key=lambda name: places[name].shortfall)


def followed(rule: Rule, costs: Mapping[str, Mapping[Cost, float]]) -> Rule:
    """`rule`, or `accuracy` where its cost was not measured for every variant."""
    if rule == "accuracy" or all(rule in known for known in costs.values()):
        return rule
    return "accuracy"


def _costs(summary: VariantSummary) -> dict[Cost, float]:
    step = summary.timings.get("train_step_ms")
    values: dict[Cost, float | None] = {
        "macs": float(summary.macs_per_step),
        "parameters": float(summary.parameters),
        "step_time": step.median if step else None,
        "latency": summary.latency_ms,
    }
    return {cost: value for cost in COSTS if (value := values[cost]) is not None}


def reads_the_clock(rule: Rule) -> bool:
    """Whether what is chosen by `rule` may differ between reruns."""
    return rule in MEASURED


def _compared_with(
    choice: str, preferred: Sequence[str], rule: Rule, costs: Mapping[str, Mapping[Cost, float]]
) -> str | None:
    """What one would take instead: the first that costs more or less, since that is the question.

    Variants of one budget cost the same by design; to be told so helps nobody to decide.
    """
    others = [name for name in preferred if name != choice]
    counted = answer_words.counted_by(rule)
    differing = [
        name for name in others if not answer_words.alike(costs[name], costs[choice], counted)
    ]
    return next(iter([*differing, *others]), None)


def _over_groups(
    question: Question,
    paired: PairedScores,
    places: Mapping[str, Place],
    predictions: Mapping[str, Mapping[int, PredictionCounts]],
) -> dict[str, float]:
    """Shortfalls over test groups of those weighed last; never below those over seeds."""
    last = max(place.units for place in places.values())
    if any(math.isinf(p.shortfall) for p in places.values() if p.units == last):
        return {}
    together = [name for name, place in places.items() if place.units == last]
    seeds = set(paired.seeds(together[0], last))
    runs = {
        name: {s: c for s, c in predictions.get(name, {}).items() if s in seeds}
        for name in together
    }
    if any(by_seed.keys() != seeds for by_seed in runs.values()):
        return {}
    scores = bootstrap.resample(runs, question.metric, seeds)
    groups = {
        group for by_seed in runs.values() for run in by_seed.values() for group in run.groups
    }
    found = best_over_groups.shortfalls(
        scores, question.metric, question.settings.alpha, min(last, len(groups))
    )
    return {name: max(value, places[name].shortfall) for name, value in found.items()}


def _test_examples(predictions: Mapping[str, Mapping[int, PredictionCounts]]) -> int | None:
    """Test examples of a run, the fewest of all."""
    sizes = [run.examples for by_seed in predictions.values() for run in by_seed.values()]
    return min(sizes, default=None)


def _known(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None
