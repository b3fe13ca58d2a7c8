"""Which variant leads at the declared settings, and which at those that each chose."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gatewise.artifacts.tuning_summary import VariantTuning
from gatewise.config.metrics import Metric


@dataclass(frozen=True)
class Leaders:
    """The best variants by validation score; of equal ones the first."""

    declared: str | None
    tuned: str
    sentence: str | None
    """Where the two are practically different: what common settings would have said."""


def leaders(variants: Mapping[str, VariantTuning], metric: Metric, rope: float) -> Leaders:
    """Who leads before and after tuning.

    Args:
        variants: at least one.
        metric: of their scores.
        rope: differences within +-rope are practically none.
    """
    declared = {
        name: one.declared_score for name, one in variants.items() if one.declared_score is not None
    }
    tuned = {name: one.tuned_score for name, one in variants.items()}
    before, after = _best(declared, metric), _best(tuned, metric)
    if before is None or before == after:
        return Leaders(before, after or "", None)
    return Leaders(before, after or "", _sentence(before, after or "", variants, metric, rope))


def _best(scores: Mapping[str, float], metric: Metric) -> str | None:
    return max(scores, key=lambda name: metric.gain(scores[name]), default=None)


def _sentence(
    before: str, after: str, variants: Mapping[str, VariantTuning], metric: Metric, rope: float
) -> str | None:
    """How `before`, ahead at the declared settings, comes to lie behind `after`."""
    one, other = variants[before], variants[after]
    ahead = _gap(one.declared_score, other.declared_score)
    behind = _gap(one.tuned_score, other.tuned_score)
    if ahead <= rope and behind <= rope:
        return None
    if behind <= rope:
        said = f"{before} leads at the declared settings alone: tuned, {after} does as well"
    elif ahead <= rope:
        said = f"{after} leads after tuning alone: as declared, {before} does as well"
    else:
        said = f"The settings decide which leads: {before} as declared, {after} after tuning"
    declared = _both(one.declared_score, other.declared_score, metric)
    tuned = _both(one.tuned_score, other.tuned_score, metric)
    return f"{said} (validation, {before} and {after}: {declared} declared, {tuned} tuned)."


def _both(a: float | None, b: float | None, metric: Metric) -> str:
    return " and ".join("diverged" if s is None else metric.show(s) for s in (a, b))


def _gap(a: float | None, b: float | None) -> float:
    """Without end where training diverged."""
    return math.inf if a is None or b is None else abs(a - b)
