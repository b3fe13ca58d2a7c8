"""One task's evidence: scores by variant and seed, costs beside them, differences in pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gatewise.artifacts.baselines import BaselineReport
from gatewise.artifacts.comparison import (
    Pair,
    PairMeasurement,
    TaskComparison,
    TaskMetric,
    VariantSummary,
)
from gatewise.artifacts.costs import CostReport
from gatewise.artifacts.prepared import TaskCard
from gatewise.artifacts.runs import RunRecord
from gatewise.artifacts.tuned import Tuned
from gatewise.config import Study
from gatewise.config.metrics import METRICS, Metric
from gatewise.evidence import bootstrap, budget_sensitivity, pairs, tuning, variant_summary
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
    curves: pd.DataFrame | None = None
    """Curves of all runs with columns `variant` and `seed`."""
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
    target: float | None
    """Validation score that `epochs_to_target` asks for."""
    test_groups: int | None
    """`None` where their noise could not be told."""
    warnings: tuple[str, ...]


def scores(study: Study, task: str, evidence: TaskEvidence) -> Scores:
    """The task's test scores, with a warning for each run that is missing or doubtful."""
    metric, wanted = METRICS[study.tasks[task].metric], study.seed_list
    by_variant: dict[str, dict[int, float]] = {variant: {} for variant in study.variants}
    warnings = []
    for record in evidence.records:
        if record.variant not in by_variant or record.seed not in wanted:
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
        warnings += _missing(f"{task}/{variant}", by_seed, wanted)
    return Scores(metric, by_variant, warnings)


def weigh(study: Study, task: str, evidence: TaskEvidence) -> Weighed:
    """Sum up the task's variants and measure its pairs."""
    settings = study.compare
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
    variants = {
        variant: variant_summary.summarise(
            scored.by_variant[variant],
            scored.metric,
            [r for r in evidence.records if r.variant == variant],
            settings,
            cost=evidence.cost.variants.get(variant) if evidence.cost else None,
            reached=reached.get(variant, ()),
            noise=noise.variants.get(variant),
        )
        for variant in scored.present
    }
    warnings = (
        *scored.warnings,
        *mismatched,
        *_untested(task, measured),
        *_few(task, noise.groups),
    )
    return Weighed(scored.metric, variants, measured, target, noise.groups, warnings)


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
    tuned = tuning.summarise(evidence.tuned, judged, weighed.variants, study.compare.rope)
    return TaskComparison(
        title=card.title if card else task,
        synthetic=card.synthetic if card else False,
        source=study.tasks[task].source.kind,
        metric=TaskMetric.of(weighed.metric, study.compare.rope),
        seeds=tuple(study.seed_list),
        train_fraction=study.train_for(task).fraction,
        target=weighed.target,
        test_groups=weighed.test_groups,
        cost_device=cost.device if cost else None,
        cost_threads=cost.threads if cost else None,
        cost_versions=cost.versions if cost else None,
        variants=weighed.variants,
        baselines=baselines.baselines if baselines else {},
        pairs=tuple(judged),
        warnings=(*weighed.warnings, *tuning.warnings(task, evidence.tuned, tuned)),
        budgets=budget_sensitivity.assess(study.variants, judged),
        tuning=tuned,
    )


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
