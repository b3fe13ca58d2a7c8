"""One task's evidence: scores by variant and seed, costs beside them, differences in pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gatewise.artifacts.answer import Answer
from gatewise.artifacts.baselines import BaselineReport, BaselineScore
from gatewise.artifacts.comparison import (
    Noise,
    Pair,
    PairMeasurement,
    TaskComparison,
    TaskMetric,
    VariantSummary,
)
from gatewise.artifacts.context import ContextReport
from gatewise.artifacts.costs import CostReport
from gatewise.artifacts.prepared import TaskCard
from gatewise.artifacts.runs import RunRecord
from gatewise.artifacts.tuned import Tuned
from gatewise.config import Study
from gatewise.config.metrics import METRICS, Metric
from gatewise.evidence import (
    answer,
    bootstrap,
    budget_sensitivity,
    context,
    design,
    foresight,
    kinds_of_work,
    opponents,
    paired_scores,
    pairs,
    promise,
    tuning,
    variant_summary,
)
from gatewise.evidence.paired_scores import PairedScores
from gatewise.evidence.prediction_counts import PredictionCounts

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TaskEvidence:
    """All that is known of one task; what was not measured is empty."""

    records: Sequence[RunRecord]
    cost: CostReport | None = None
    card: TaskCard | None = None
    baselines: BaselineReport | None = None
    predictions: Mapping[str, Mapping[int, PredictionCounts]] = field(default_factory=dict)
    """By variant and seed."""
    context: ContextReport | None = None
    curves: pd.DataFrame | None = None
    """Curves of all runs with columns `variant` and `seed`."""
    diverged: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    """Seeds of each variant whose training diverged, with the reason."""
    tuned: Mapping[str, Tuned] = field(default_factory=dict)
    """What each variant's settings were chosen from."""


@dataclass(frozen=True)
class Scores:
    """The primary metric of one task's runs, and what is wrong with them."""

    metric: Metric
    by_variant: dict[str, dict[int, float]]
    """Test score of each variant and seed; only finite ones."""
    warnings: list[str] = field(default_factory=list)

    @property
    def present(self) -> list[str]:
        """Variants with a usable run, in the study's order."""
        return [variant for variant, by_seed in self.by_variant.items() if by_seed]


@dataclass(frozen=True)
class Weighed:
    """A task's evidence in figures, before its pairs are judged together with other tasks'."""

    metric: Metric
    variants: Mapping[str, VariantSummary]
    pairs: Sequence[PairMeasurement]
    together: PairedScores
    """Scores on the seeds that all variants share."""
    target: float | None
    """Validation score that `epochs_to_target` asks for."""
    test_groups: int | None
    """`None` where their noise could not be told."""
    warnings: tuple[str, ...]


def scores(study: Study, task: str, evidence: TaskEvidence) -> Scores:
    """The task's test scores, with a warning for each run that is missing or doubtful."""
    metric = METRICS[study.tasks[task].metric]
    wanted = {variant: study.seeds_of(task, variant) for variant in study.variants}
    by_variant: dict[str, dict[int, float]] = {variant: {} for variant in study.variants}
    warnings = []
    for record in evidence.records:
        if record.seed not in wanted.get(record.variant, ()):
            continue
        score = record.metrics.get("test", {}).get(metric.name, math.nan)
        if math.isfinite(score):
            by_variant[record.variant][record.seed] = score
        else:
            warnings.append(
                f"{record.name}: its test {metric.name} is {score}; the run is left out."
            )
        predicted = evidence.predictions.get(record.variant, {}).get(record.seed)
        if predicted is not None and predicted.constant:
            warnings.append(f"{record.name}: predicts one class throughout; it learnt nothing.")
    for variant, by_seed in by_variant.items():
        diverged = evidence.diverged.get(variant, {})
        warnings += _diverged(f"{task}/{variant}", diverged, by_seed, wanted[variant])
        warnings += _missing(f"{task}/{variant}", by_seed, wanted[variant])
    return Scores(metric, by_variant, warnings)


def weigh(study: Study, task: str, evidence: TaskEvidence) -> Weighed:
    """Sum up the task's variants and measure its pairs."""
    settings = study.compare_for(task)
    scored = scores(study, task, evidence)
    ordered = pairs.ordered(scored.present, settings.primary)
    shared, mismatched = same_test_set(task, scored, evidence.predictions, ordered)
    noise = (
        bootstrap.Analysis() if mismatched else _noise(scored, evidence, ordered, settings.alpha)
    )
    measured = [
        pairs.measure(
            pairs.Subject(
                a,
                b,
                primary,
                shared[a, b],
                noise.pairs.get((a, b)),
                pairs.step_time(evidence.cost, a, b, settings.alpha),
            ),
            scored.by_variant,
            scored.metric,
            settings,
        )
        for a, b, primary in ordered
    ]
    target, reached = variant_summary.epochs_to_target(
        evidence.curves, scored.metric, scored.present
    )
    variants = _summaries(study, evidence, scored, reached, noise.variants)
    warnings = (
        *scored.warnings,
        *mismatched,
        *_untested(task, measured),
        *_few(task, noise.groups),
    )
    together = _together(study, task, evidence, scored)
    return Weighed(scored.metric, variants, measured, together, target, noise.groups, warnings)


def entry(
    study: Study, task: str, evidence: TaskEvidence, weighed: Weighed, judged: Sequence[Pair]
) -> TaskComparison:
    """The task's entry in the comparison.

    Args:
        study: what was declared.
        task: its name.
        evidence: what is known of it.
        weighed: the same in figures.
        judged: the measured pairs with their verdicts.
    """
    card, cost, baselines = evidence.card, evidence.cost, evidence.baselines
    rope = study.compare_for(task).rope
    tuned = tuning.summarise(evidence.tuned, judged, weighed.variants, rope)
    return TaskComparison(
        title=card.title if card else task,
        synthetic=card.synthetic if card else False,
        source=study.tasks[task].source.kind,
        work=kinds_of_work.of(study.tasks[task], card),
        metric=TaskMetric.of(weighed.metric, rope),
        seeds=tuple(study.seeds_of_task(task)),
        train_fraction=study.train_for(task).fraction,
        target=weighed.target,
        test_groups=weighed.test_groups,
        cost_device=cost.device if cost else None,
        cost_threads=cost.threads if cost else None,
        cost_versions=cost.versions if cost else None,
        variants=weighed.variants,
        baselines=_brief(baselines.baselines) if baselines else {},
        pairs=tuple(judged),
        warnings=(*weighed.warnings, *tuning.warnings(task, evidence.tuned, tuned)),
        budgets=budget_sensitivity.assess(study.variants, judged),
        context=context.summarise(evidence.context, rope, study.compare.alpha),
        answer=_answer_to_all(study, task, evidence, weighed),
        promise=foresight.made(study, task, _test_examples(evidence), shared=not _drawn(card)),
        outcome=promise.outcome(
            study.compare,
            foresight.primary_tests(study),
            _spreads(weighed.pairs),
            len(study.seeds_of_task(task)),
        ),
        tuning=tuned,
    )


def _brief(baselines: Mapping[str, BaselineScore]) -> dict[str, BaselineScore]:
    """Scores without the counts, which are evidence and no result."""
    return {name: score.model_copy(update={"counts": ()}) for name, score in baselines.items()}


def _test_examples(evidence: TaskEvidence) -> int | None:
    runs = [run for by_seed in evidence.predictions.values() for run in by_seed.values()]
    return min((run.examples for run in runs), default=None)


def _spreads(measured: Sequence[PairMeasurement]) -> list[float]:
    """Scatter of the primary pairs' differences, or of all pairs where none is primary."""
    chosen = [pair for pair in measured if pair.primary] or measured
    return [pair.std for pair in chosen if pair.std is not None]


def _drawn(card: TaskCard | None) -> bool:
    """Whether each seed has test examples of its own."""
    return card is not None and card.resample


def answer_of(study: Study, task: str, evidence: TaskEvidence) -> Answer | None:
    """The task's answer alone, without what its pairs need."""
    scored = scores(study, task, evidence)
    variants = _summaries(study, evidence, scored)
    together = _together(study, task, evidence, scored)
    return _answer(study, task, evidence, together, variants)


def _answer_to_all(
    study: Study, task: str, evidence: TaskEvidence, weighed: Weighed
) -> Answer | None:
    """The task's answer, the linear model included."""
    together, settings = weighed.together, study.compare_for(task)
    found = _answer(study, task, evidence, together, weighed.variants)
    if found is None or evidence.baselines is None:
        return found
    shared = not _drawn(evidence.card) and study.train_for(task).fraction == 1
    contest = opponents.Contest(weighed.metric, settings, study.looks, shared)
    runs = evidence.predictions.get(found.choice, {})
    return opponents.weigh(found, together, evidence.baselines.baselines, contest, runs)


def _answer(
    study: Study,
    task: str,
    evidence: TaskEvidence,
    together: PairedScores,
    variants: Mapping[str, VariantSummary],
) -> Answer | None:
    question = answer.Question(
        METRICS[study.tasks[task].metric],
        study.compare_for(task),
        study.looks,
        _design(study, evidence).speaks_of,
    )
    return answer.find(question, together, variants, evidence.predictions)


def _together(study: Study, task: str, evidence: TaskEvidence, scored: Scores) -> PairedScores:
    wanted = {variant: study.seeds_of(task, variant) for variant in scored.present}
    units = _design(study, evidence).round
    return paired_scores.pair(task, scored.by_variant, wanted, evidence.predictions, units)


def _design(study: Study, evidence: TaskEvidence) -> design.Design:
    runs = [run for by_seed in evidence.predictions.values() for run in by_seed.values()]
    groups = len({group for run in runs for group in run.groups})
    first = study.looks[0] if study.looks else len(study.seed_list)
    return design.of(evidence.card, groups or None, first)


def _summaries(
    study: Study,
    evidence: TaskEvidence,
    scored: Scores,
    reached: Mapping[str, Sequence[int | None]] | None = None,
    noise: Mapping[str, Noise] | None = None,
) -> dict[str, VariantSummary]:
    """Each variant in brief; speed of learning and noise where they are known."""
    return {
        variant: variant_summary.summarise(
            scored.by_variant[variant],
            scored.metric,
            [r for r in evidence.records if r.variant == variant],
            study.compare,
            cost=evidence.cost.variants.get(variant) if evidence.cost else None,
            reached=(reached or {}).get(variant, ()),
            noise=(noise or {}).get(variant),
        )
        for variant in scored.present
    }


def same_test_set(
    task: str,
    scored: Scores,
    predictions: Mapping[str, Mapping[int, PredictionCounts]],
    ordered: Sequence[tuple[str, str, bool]],
) -> tuple[dict[tuple[str, str], list[int]], list[str]]:
    """Seeds of each pair that both variants finished on the same test examples."""
    seeds, warnings = {}, []
    for a, b, _ in ordered:
        both = sorted(scored.by_variant[a].keys() & scored.by_variant[b].keys())
        of_a, of_b = predictions.get(a, {}), predictions.get(b, {})
        other = [
            s for s in both if s in of_a and s in of_b and of_a[s].test_set != of_b[s].test_set
        ]
        if other:
            listed = ", ".join(str(s) for s in other)
            warnings.append(
                f"{task}: {a} and {b} were tested on different examples with seed {listed}; "
                "that is no pair and is left out. Rerun both on the same data."
            )
        seeds[a, b] = [seed for seed in both if seed not in other]
    return seeds, warnings


def _noise(
    scored: Scores, evidence: TaskEvidence, ordered: Sequence[tuple[str, str, bool]], alpha: float
) -> bootstrap.Analysis:
    used = {
        variant: {
            seed: counts
            for seed, counts in evidence.predictions.get(variant, {}).items()
            if seed in scored.by_variant[variant]
        }
        for variant in scored.present
    }
    return bootstrap.analyse(used, [(a, b) for a, b, _ in ordered], scored.metric, alpha)


def _diverged(
    name: str, diverged: Mapping[int, str], by_seed: Mapping[int, float], wanted: Sequence[int]
) -> list[str]:
    seeds = [seed for seed in wanted if seed in diverged]
    if not seeds:
        return []
    listed = ", ".join(map(str, seeds))
    flattered = "; its score leaves them out, which flatters it" if by_seed else ""
    return [f"{name}: diverged with seed {listed} ({diverged[seeds[0]]}){flattered}."]


def _missing(name: str, by_seed: Mapping[int, float], wanted: Sequence[int]) -> list[str]:
    missing = ", ".join(str(seed) for seed in wanted if seed not in by_seed)
    if not missing:
        return []
    if not by_seed:
        return [f"{name}: no usable run at all; it is left out."]
    return [
        f"{name}: no usable run for seed {missing}; "
        f"its pairs rest on the other {len(by_seed)} of {len(wanted)} seeds."
    ]


def _untested(task: str, measured: Sequence[PairMeasurement]) -> list[str]:
    return [
        f"{task}: {pair.a} and {pair.b} share {len(pair.seeds)} usable seed(s); "
        "a test needs two, so no p-value is given."
        for pair in measured
        if pair.p_value is None
    ]


def _few(task: str, groups: int | None) -> list[str]:
    if groups is None or groups >= bootstrap.FEW_GROUPS:
        return []
    return [
        f"{task}: the test examples come from {groups} groups only; how far other groups "
        "would move the scores is poorly known."
    ]
