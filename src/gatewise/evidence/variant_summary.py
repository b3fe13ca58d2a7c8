"""One variant on one task in brief: scores over seeds, size, costs, speed of learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatewise.artifacts.comparison import Noise, VariantSummary
from gatewise.artifacts.costs import VariantCost
from gatewise.artifacts.runs import RunRecord
from gatewise.config import CompareConfig
from gatewise.config.metrics import Metric
from gatewise.evidence import statistics

if TYPE_CHECKING:
    import pandas as pd

TARGET = 0.95
"""Share of the best variant's validation score that `epochs_to_target` asks for."""


def summarise(
    by_seed: Mapping[int, float],
    metric: Metric,
    records: Sequence[RunRecord],
    settings: CompareConfig,
    *,
    cost: VariantCost | None = None,
    reached: Sequence[int | None] = (),
    noise: Noise | None = None,
) -> VariantSummary:
    """The variant's entry in the comparison.

    Args:
        by_seed: usable test scores; at least one.
        metric: what they are scores of.
        records: the variant's runs on this task; those without a usable score are ignored.
        settings: level and resamples of the intervals.
        cost: what it costs, if measured.
        reached: epochs to the target of each seed, `None` where it was missed.
        noise: of the mean over seeds and test groups.
    """
    used = sorted((r for r in records if r.seed in by_seed), key=lambda record: record.seed)
    values = [by_seed[record.seed] for record in used]
    brief = statistics.summary(values, settings.alpha, settings.resamples)
    first = used[0]
    gaps = [
        record.metrics["train"][metric.name] - record.metrics["test"][metric.name]
        for record in used
        if metric.name in record.metrics.get("train", {})
    ]
    return VariantSummary(
        mean=brief.mean,
        std=brief.std,
        ci=brief.ci,
        values=tuple(values),
        seeds=tuple(record.seed for record in used),
        parameters=first.parameters,
        recurrent_parameters=first.recurrent_parameters,
        macs_per_step=first.macs_per_step,
        hidden=first.config.hidden,
        cell=first.config.cell,
        budget=first.budget,
        kernel=first.kernel,
        structure=cost.structure if cost else None,
        share_of_peak=cost.share_of_peak if cost else None,
        train_seconds_per_epoch=cost.train_seconds_per_epoch if cost else None,
        peak_memory_mb=cost.peak_memory_mb if cost else None,
        latency_ms=cost.inference_ms_batch_1.median if cost else None,
        size_bytes=cost.size_bytes if cost else None,
        timings={
            name: timing.quartiles if timing else None
            for name, timing in (cost.timings.items() if cost else ())
        },
        generalisation_gap=float(np.mean(gaps)) if gaps else None,
        gaps=tuple(gaps),
        best_epochs=tuple(record.best_epoch for record in used),
        weights_sha256={str(record.seed): record.weights_sha256 for record in used},
        epochs_to_target=tuple(reached),
        seconds_to_target=_seconds(reached, cost),
        test_noise=noise,
    )


def epochs_to_target(
    curves: pd.DataFrame | None, metric: Metric, variants: Sequence[str]
) -> tuple[float | None, dict[str, tuple[int | None, ...]]]:
    """The target, and the epochs that each seed of each variant took to reach it.

    The target is a share of the best variant's mean best validation score (where lower is
    better, as much above it), so that every task states its own and the number is known before
    any variant's speed is.

    Returns:
        `None` and nothing where there are no curves of this metric.
    """
    column = f"validation_{metric.name}"
    if curves is None or curves.empty or column not in curves:
        return None, {}
    best = curves.groupby(["variant", "seed"])[column].agg(metric.mode).groupby("variant").mean()
    target = _target(float(best.agg(metric.mode)), metric)
    there = curves[column] >= target if metric.higher_is_better else curves[column] <= target
    first = curves[there].groupby(["variant", "seed"])["epoch"].min()
    reached = {key: int(epoch) for key, epoch in first.items()}
    every = curves[["variant", "seed"]].drop_duplicates().sort_values(["variant", "seed"])
    epochs: dict[str, list[int | None]] = {variant: [] for variant in variants}
    for variant, seed in every.itertuples(index=False):
        if variant in epochs:
            epochs[variant].append(reached.get((variant, seed)))
    return target, {variant: tuple(by_seed) for variant, by_seed in epochs.items()}


def _target(best: float, metric: Metric) -> float:
    """A number that people can read; losses come in all sizes, so theirs has three digits."""
    return round(TARGET * best, 3) if metric.higher_is_better else float(f"{best / TARGET:.3g}")


def _seconds(reached: Sequence[int | None], cost: VariantCost | None) -> float | None:
    epochs = [epoch for epoch in reached if epoch is not None]
    if cost is None or not reached or len(epochs) < len(reached):
        return None
    return float(np.mean(epochs)) * cost.train_seconds_per_epoch
