"""One task's evidence: scores by variant and seed, costs beside them, differences in pairs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gatewise.artifacts.runs import RunRecord
from gatewise.config import CompareConfig, Study
from gatewise.evidence import bootstrap, statistics
from gatewise.evidence.prediction_counts import Outcome

if TYPE_CHECKING:
    import pandas as pd

TARGET = 0.95
"""Share of the best variant's validation score that `epochs_to_target` asks for."""


@dataclass(frozen=True)
class TaskEvidence:
    """All that is known of one task; what was not measured is empty."""

    records: Sequence[RunRecord]
    cost: Mapping[str, Any] = field(default_factory=dict)
    """`reports/cost/<task>.json`."""
    card: Mapping[str, Any] = field(default_factory=dict)
    """`data/prepared/<task>/task.json`."""
    baselines: Mapping[str, Any] = field(default_factory=dict)
    """`reports/baselines/<task>.json`."""
    outcomes: Mapping[str, Mapping[int, Outcome]] = field(default_factory=dict)
    """By variant and seed."""
    curves: pd.DataFrame | None = None
    """Curves of all runs with columns `variant` and `seed`."""


@dataclass(frozen=True)
class Scores:
    """The primary metric of one task's runs, and what is wrong with them."""

    metric: str
    by_variant: dict[str, dict[int, float]]
    """Test score of each variant and seed; only finite ones."""
    warnings: list[str] = field(default_factory=list)


def scores(study: Study, task: str, evidence: TaskEvidence) -> Scores:
    """The task's test scores, with a warning for each run that is missing or doubtful."""
    metric, wanted = study.tasks[task].metric, study.seed_list
    by_variant: dict[str, dict[int, float]] = {variant: {} for variant in study.variants}
    warnings = []
    for record in evidence.records:
        if record.variant not in by_variant or record.seed not in wanted:
            continue
        score = record.metrics.get("test", {}).get(metric, math.nan)
        if math.isfinite(score):
            by_variant[record.variant][record.seed] = score
        else:
            warnings.append(f"{record.name}: its test {metric} is {score}; the run is left out.")
        outcome = evidence.outcomes.get(record.variant, {}).get(record.seed)
        if outcome is not None and outcome.constant:
            warnings.append(f"{record.name}: predicts one class throughout; it learnt nothing.")
    for variant, found in by_variant.items():
        missing = [seed for seed in wanted if seed not in found]
        if missing:
            seeds = ", ".join(str(seed) for seed in missing)
            warnings.append(
                f"{task}/{variant}: no usable run for seed {seeds}; "
                f"its pairs rest on the other {len(found)} of {len(wanted)} seeds."
                if found
                else f"{task}/{variant}: no usable run at all; it is left out."
            )
    return Scores(metric, by_variant, warnings)


def weigh(study: Study, task: str, evidence: TaskEvidence) -> dict[str, Any]:
    """The task's entry in `comparison.json`, verdicts still open."""
    found = scores(study, task, evidence)
    present = [variant for variant in study.variants if found.by_variant[variant]]
    ordered = ordered_pairs(present, study.compare.primary)
    shared, mismatched = same_test_set(task, found, evidence.outcomes, ordered)
    costs = evidence.cost.get("variants", {})
    pairs = [
        {
            **_pair(found, a, b, primary, shared[a, b], study.compare),
            "step_time": _step_time(costs, a, b, study.compare.alpha),
        }
        for a, b, primary in ordered
    ]
    untested = [
        f"{task}: {pair['a']} and {pair['b']} share {len(pair['seeds'])} usable seed(s); "
        "a test needs two, so no p-value is given."
        for pair in pairs
        if pair["p_value"] is None
    ]
    target, reached = epochs_to_target(evidence.curves, found.metric, present)
    variants = {
        variant: {
            **_variant(found, variant, evidence, study.compare),
            **_speed(reached.get(variant), evidence.cost, variant),
        }
        for variant in present
    }
    groups = None if mismatched else _add_noise(variants, pairs, evidence, found, study.compare)
    few = groups is not None and groups < bootstrap.FEW_GROUPS
    return {
        "title": evidence.card.get("title", task),
        "synthetic": bool(evidence.card.get("synthetic", False)),
        "metric": found.metric,
        "seeds": study.seed_list,
        "train_fraction": study.train_for(task).fraction,
        "target": target,
        "test_groups": groups,
        "cost_device": evidence.cost.get("device"),
        "cost_threads": evidence.cost.get("threads"),
        "cost_versions": evidence.cost.get("versions"),
        "variants": variants,
        "baselines": dict(evidence.baselines.get("baselines", {})),
        "pairs": pairs,
        "warnings": found.warnings
        + mismatched
        + untested
        + [
            f"{task}: the test examples come from {groups} groups only; how far other groups "
            "would move the scores is poorly known."
        ]
        * few,
    }


def ordered_pairs(
    variants: Sequence[str], primary: Sequence[tuple[str, str]]
) -> list[tuple[str, str, bool]]:
    """All pairs of `variants`: the primary ones as declared, then the rest, flagged."""
    declared = [(a, b) for a, b in primary if a in variants and b in variants]
    known = {frozenset(pair) for pair in declared}
    rest = [pair for pair in itertools.combinations(variants, 2) if frozenset(pair) not in known]
    return [(*pair, True) for pair in declared] + [(*pair, False) for pair in rest]


def same_test_set(
    task: str,
    found: Scores,
    outcomes: Mapping[str, Mapping[int, Outcome]],
    pairs: Sequence[tuple[str, str, bool]],
) -> tuple[dict[tuple[str, str], list[int]], list[str]]:
    """Seeds of each pair that both variants finished on the same test examples."""
    seeds, warnings = {}, []
    for a, b, _ in pairs:
        both = sorted(found.by_variant[a].keys() & found.by_variant[b].keys())
        of_a, of_b = outcomes.get(a, {}), outcomes.get(b, {})
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


def epochs_to_target(
    curves: pd.DataFrame | None, metric: str, variants: Sequence[str]
) -> tuple[float | None, dict[str, list[int | None]]]:
    """The target, and the epochs that each seed of each variant took to reach it.

    The target is a share of the best variant's mean best validation score, so that every
    task states its own and the number is known before any variant's speed is.
    """
    if curves is None or curves.empty:
        return None, {}
    column = f"validation_{metric}"
    best = curves.groupby(["variant", "seed"])[column].max().groupby("variant").mean()
    target = round(TARGET * float(best.max()), 3)
    first = curves[curves[column] >= target].groupby(["variant", "seed"])["epoch"].min()
    every = curves[["variant", "seed"]].drop_duplicates().sort_values(["variant", "seed"])
    found: dict[str, list[int | None]] = {variant: [] for variant in variants}
    reached = {key: int(epoch) for key, epoch in first.items()}
    for variant, seed in every.itertuples(index=False):
        if variant in found:
            found[variant].append(reached.get((variant, seed)))
    return target, found


def _variant(
    found: Scores, variant: str, evidence: TaskEvidence, settings: CompareConfig
) -> dict[str, Any]:
    seeds = sorted(found.by_variant[variant])
    values = [found.by_variant[variant][seed] for seed in seeds]
    used = [r for r in evidence.records if r.variant == variant and r.seed in seeds]
    used.sort(key=lambda r: r.seed)
    gaps = [
        record.metrics["train"][found.metric] - record.metrics["test"][found.metric]
        for record in used
        if found.metric in record.metrics.get("train", {})
    ]
    cost = evidence.cost.get("variants", {}).get(variant, {})
    return {
        **statistics.summary(values, settings.alpha, settings.resamples),
        "values": values,
        "seeds": seeds,
        "parameters": used[0].parameters,
        "recurrent_parameters": used[0].recurrent_parameters,
        "macs_per_step": used[0].macs_per_step,
        "hidden": used[0].config.hidden,
        "cell": used[0].config.cell,
        "budget": used[0].budget,
        "kernel": used[0].kernel,
        "structure": cost.get("structure"),
        "train_seconds_per_epoch": cost.get("train_seconds_per_epoch"),
        "peak_memory_mb": cost.get("peak_memory_mb"),
        "latency_ms": (cost.get("inference_ms_batch_1") or {}).get("median"),
        "size_bytes": cost.get("size_bytes"),
        "timings": {
            key: value and {name: value[name] for name in ("median", "q1", "q3")}
            for key, value in cost.items()
            if "_ms" in key
        },
        "generalisation_gap": float(np.mean(gaps)) if gaps else None,
        "gaps": gaps,
        "best_epochs": [record.best_epoch for record in used],
        "weights_sha256": {str(record.seed): record.weights_sha256 for record in used},
    }


def _speed(
    reached: Sequence[int | None] | None, cost: Mapping[str, Any], variant: str
) -> dict[str, Any]:
    """Epochs and seconds to the target; seconds only where every seed reached it."""
    if not reached:
        return {"epochs_to_target": [], "seconds_to_target": None}
    seconds = cost.get("variants", {}).get(variant, {}).get("train_seconds_per_epoch")
    epochs = [epoch for epoch in reached if epoch is not None]
    known = seconds is not None and len(epochs) == len(reached)
    return {
        "epochs_to_target": list(reached),
        "seconds_to_target": float(np.mean(epochs)) * seconds if known else None,
    }


def _pair(
    found: Scores, a: str, b: str, primary: bool, seeds: list[int], settings: CompareConfig
) -> dict[str, Any]:
    """One pair over its seeds; corrections and the verdict come later."""
    of_a = np.array([found.by_variant[a][seed] for seed in seeds])
    of_b = np.array([found.by_variant[b][seed] for seed in seeds])
    d = of_a - of_b
    interval = statistics.mean_interval(d, 1 - settings.alpha, settings.resamples)
    odds = statistics.superiority_interval(d, 1 - settings.alpha)
    test = statistics.sign_flip(d)
    return {
        "a": a,
        "b": b,
        "primary": primary,
        "seeds": seeds,
        "difference": float(d.mean()) if len(d) else None,
        "std": float(d.std(ddof=1)) if len(d) > 1 else None,
        "ci": list(interval) if interval else None,
        "p_value": test.two_sided if test else None,
        "p_value_holm": None,
        "p_superiority": statistics.superiority(d),
        "p_superiority_ci": list(odds) if odds else None,
        "effect_size": statistics.effect_size(d),
        "almost_stochastic_order": {
            a: statistics.almost_stochastic_order(of_a, of_b, settings.alpha),
            b: statistics.almost_stochastic_order(of_b, of_a, settings.alpha),
        },
        "rope": settings.rope,
        "p_equivalence": statistics.equivalence(d, settings.rope),
        "p_equivalence_holm": None,
        "test_noise": None,
        "verdict": "undecided",
        "decided_at": None,
        "seeds_needed": None,
        "differences": d.tolist(),
    }


def _step_time(costs: Mapping[str, Any], a: str, b: str, alpha: float) -> dict[str, Any] | None:
    """A training step of `a` to one of `b`: median over rounds, in which they took turns."""
    if a not in costs or b not in costs:
        return None
    of_a, of_b = (costs[variant]["train_step_ms"]["rounds"] for variant in (a, b))
    ratios = np.array(of_a) / np.array(of_b)
    interval = statistics.median_interval(ratios, 1 - alpha)
    return {"ratio": float(np.median(ratios)), "ci": list(interval) if interval else None}


def _add_noise(
    variants: dict[str, dict[str, Any]],
    pairs: list[dict[str, Any]],
    evidence: TaskEvidence,
    found: Scores,
    settings: CompareConfig,
) -> int | None:
    """Add `test_noise` to variants and pairs; return the number of test groups."""
    outcomes = {
        variant: {s: o for s, o in evidence.outcomes.get(variant, {}).items() if s in seeds}
        for variant, seeds in found.by_variant.items()
        if variant in variants
    }
    names = [(pair["a"], pair["b"]) for pair in pairs]
    of_variants, of_pairs = bootstrap.analyse(outcomes, names, found.metric, settings.alpha)
    for variant, cells in variants.items():
        cells["test_noise"] = _as_json(of_variants.get(variant))
    for pair in pairs:
        pair["test_noise"] = _as_json(of_pairs.get((pair["a"], pair["b"])))
    return next((noise.groups for noise in of_variants.values()), None)


def _as_json(noise: bootstrap.Noise | None) -> dict[str, Any] | None:
    if noise is None:
        return None
    return {"ci": list(noise.ci), "se_seeds": noise.se_seeds, "se_groups": noise.se_groups}
