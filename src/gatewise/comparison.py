"""From finished runs to verdicts: `reports/comparison.json`.

## The verdict rule

For a pair `(a, b)` of one task, over the seeds that both finished:

1. **equivalent**, if two one-sided tests place the difference within +-`compare.rope`;
2. else **a** or **b**, whichever scores higher on average, if the sign-flip test is
   significant;
3. else **undecided**, with the number of seeds that are still needed.

Both tests are exact and run at level `compare.alpha`. For the pairs declared in
`compare.primary` their p-values are corrected by Holm's method, each kind over the primary
pairs of all tasks together. The other pairs are secondary: uncorrected, labelled
exploratory, a reason to declare a pair primary in the next study and no more.

Equivalence is asked first because a difference can be both real and too small to matter.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gatewise import statistics
from gatewise.config import CompareConfig, Study
from gatewise.errors import GatewiseError
from gatewise.files import read_json
from gatewise.runs import RunRecord


@dataclass(frozen=True)
class Scores:
    """The primary metric of one task's runs, and what is wrong with them."""

    metric: str
    by_variant: dict[str, dict[int, float]]
    """Test score of each variant and seed; only finite ones."""
    warnings: list[str] = field(default_factory=list)


def decide(
    difference: float, p_value: float | None, p_equivalence: float | None, alpha: float
) -> str:
    """Apply the verdict rule (see the module) to corrected p-values.

    Returns:
        `a`, `b`, `equivalent` or `undecided`.
    """
    if p_equivalence is not None and p_equivalence <= alpha:
        return "equivalent"
    if p_value is not None and p_value <= alpha:
        return "a" if difference > 0 else "b"
    return "undecided"


def compare(
    study: Study,
    records: Iterable[RunRecord],
    costs: Mapping[str, Any] | None = None,
    cards: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The comparison of all runs of `study`, as plain data for `reports/comparison.json`.

    Args:
        study: what was declared: tasks, variants, seeds, primary pairs.
        records: finished runs; those outside the study are ignored.
        costs: `reports/cost/<task>.json` by task, where it was measured.
        cards: `data/prepared/<task>/task.json` by task, for titles.

    Raises:
        GatewiseError: there is no run of this study at all.
    """
    grouped: dict[str, list[RunRecord]] = {task: [] for task in study.tasks}
    for record in records:
        if record.task in grouped:
            grouped[record.task].append(record)
    if not any(grouped.values()):
        raise GatewiseError("runs/: no finished run of this study; run `dvc repro train`")

    settings = study.compare
    tasks = {
        task: _task(study, task, found, (costs or {}).get(task), (cards or {}).get(task) or {})
        for task, found in grouped.items()
    }
    pairs = [pair for task in tasks.values() for pair in task["pairs"]]
    family = _correct([pair for pair in pairs if pair["primary"]], settings)
    _correct([pair for pair in pairs if not pair["primary"]], settings, corrected=False)
    for pair in pairs:
        pair["seeds_needed"] = _seeds_needed(pair, settings, family if pair["primary"] else 1)
    return {
        "alpha": settings.alpha,
        "rope": settings.rope,
        "power": settings.power,
        "primary_tests": family,
        "warnings": _power_warnings(study, family),
        "tasks": tasks,
        "claims": [],
    }


# --- one task ----------------------------------------------------------------------------


def scores(study: Study, task: str, records: Sequence[RunRecord]) -> Scores:
    """The task's test scores, with a warning for each run that is missing or unusable."""
    metric, wanted = study.tasks[task].metric, study.seed_list
    by_variant: dict[str, dict[int, float]] = {variant: {} for variant in study.variants}
    warnings = []
    for record in records:
        if record.variant not in by_variant or record.seed not in wanted:
            continue
        score = record.metrics.get("test", {}).get(metric, math.nan)
        if math.isfinite(score):
            by_variant[record.variant][record.seed] = score
        else:
            warnings.append(f"{record.name}: its test {metric} is {score}; the run is left out.")
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


def _task(
    study: Study,
    task: str,
    records: Sequence[RunRecord],
    cost: Mapping[str, Any] | None,
    card: Mapping[str, Any],
) -> dict[str, Any]:
    found = scores(study, task, records)
    present = [variant for variant in study.variants if found.by_variant[variant]]
    pairs = [
        _pair(found, a, b, primary, study.compare)
        for a, b, primary in ordered_pairs(present, study.compare.primary)
    ]
    untested = [
        f"{task}: {pair['a']} and {pair['b']} share {len(pair['seeds'])} usable seed(s); "
        "a test needs two, so no p-value is given."
        for pair in pairs
        if pair["p_value"] is None
    ]
    return {
        "title": card.get("title", task),
        "synthetic": bool(card.get("synthetic", False)),
        "metric": found.metric,
        "seeds": study.seed_list,
        "cost_device": (cost or {}).get("device"),
        "variants": {
            variant: _variant(
                found,
                variant,
                [r for r in records if r.variant == variant],
                (cost or {}).get("variants", {}).get(variant, {}),
                study.compare,
            )
            for variant in present
        },
        "pairs": pairs,
        "warnings": found.warnings + untested,
    }


def _variant(
    found: Scores,
    variant: str,
    records: Sequence[RunRecord],
    cost: Mapping[str, Any],
    settings: CompareConfig,
) -> dict[str, Any]:
    seeds = sorted(found.by_variant[variant])
    values = [found.by_variant[variant][seed] for seed in seeds]
    used = sorted((r for r in records if r.seed in seeds), key=lambda r: r.seed)
    gaps = [r.metrics["train"][found.metric] - r.metrics["test"][found.metric] for r in used]
    interval = statistics.mean_interval(values, 1 - settings.alpha, settings.resamples)
    return {
        "mean": float(np.mean(values)),
        "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "ci": list(interval) if interval else None,
        "values": values,
        "seeds": seeds,
        "parameters": used[0].parameters,
        "macs_per_step": used[0].macs_per_step,
        "train_seconds_per_epoch": cost.get("train_seconds_per_epoch"),
        "peak_memory_mb": cost.get("peak_memory_mb"),
        "latency_ms": cost.get("inference_ms_batch_1", {}).get("median"),
        "generalisation_gap": float(np.mean(gaps)),
    }


def ordered_pairs(
    variants: Sequence[str], primary: Sequence[tuple[str, str]]
) -> list[tuple[str, str, bool]]:
    """All pairs of `variants`: the primary ones as declared, then the rest, flagged."""
    declared = [(a, b) for a, b in primary if a in variants and b in variants]
    known = {frozenset(pair) for pair in declared}
    rest = [pair for pair in itertools.combinations(variants, 2) if frozenset(pair) not in known]
    return [(*pair, True) for pair in declared] + [(*pair, False) for pair in rest]


def _pair(found: Scores, a: str, b: str, primary: bool, settings: CompareConfig) -> dict[str, Any]:
    """One pair over the seeds that both finished; verdict and correction come later."""
    of_a, of_b = found.by_variant[a], found.by_variant[b]
    seeds = sorted(of_a.keys() & of_b.keys())
    d = np.array([of_a[seed] - of_b[seed] for seed in seeds])
    interval = statistics.mean_interval(d, 1 - settings.alpha, settings.resamples)
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
        "rope": settings.rope,
        "p_equivalence": statistics.equivalence(d, settings.rope),
        "p_equivalence_holm": None,
        "verdict": "undecided",
        "seeds_needed": None,
    }


# --- over all tasks ------------------------------------------------------------------------


def _correct(pairs: list[dict[str, Any]], settings: CompareConfig, corrected: bool = True) -> int:
    """Fill in corrected p-values and verdicts; return the size of the family."""
    if corrected:
        for kind in ("p_value", "p_equivalence"):
            for pair, p in zip(pairs, statistics.holm([p[kind] for p in pairs]), strict=True):
                pair[f"{kind}_holm"] = p
    suffix = "_holm" if corrected else ""
    for pair in pairs:
        if pair["difference"] is None:
            continue
        side = decide(
            pair["difference"],
            pair[f"p_value{suffix}"],
            pair[f"p_equivalence{suffix}"],
            settings.alpha,
        )
        pair["verdict"] = pair.get(side, side)
    return sum(pair["p_value"] is not None for pair in pairs)


def _seeds_needed(pair: dict[str, Any], settings: CompareConfig, family: int) -> int | None:
    """Seeds to add before an undecided pair is decided with the wanted power; else `None`."""
    if pair["verdict"] != "undecided" or pair["std"] is None:
        return None
    total = statistics.seeds_for_power(
        pair["std"], settings.rope, settings.alpha / max(family, 1), settings.power
    )
    return None if total is None else max(1, total - len(pair["seeds"]))


def _power_warnings(study: Study, family: int) -> list[str]:
    """Say so where no result whatsoever could have been significant."""
    warnings = []
    alpha = study.compare.alpha / max(family, 1)
    seeds = len(study.seed_list)
    if family and statistics.smallest_p(seeds) > alpha:
        warnings.append(
            f"{seeds} seeds cannot make all {family} primary pairs significant: the smallest "
            f"possible p-value is {statistics.smallest_p(seeds):.3g}, Holm's first threshold is "
            f"{alpha:.3g}. {statistics.fewest_seeds(alpha)} seeds can."
        )
    return warnings


# --- reading -------------------------------------------------------------------------------


def read_by_task(tasks: Iterable[str], pattern: str) -> dict[str, Any]:
    """The JSON files that exist at `pattern`, whose `{task}` is filled in."""
    paths = {task: Path(pattern.format(task=task)) for task in tasks}
    return {task: read_json(path) for task, path in paths.items() if path.is_file()}
