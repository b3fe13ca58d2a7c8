"""Old against new training data: label set, sizes, shares of labels, distributions of features.

Distributions are compared over sequences, not over frames, which are no independent
observations: each sequence counts once, with its length and the means of its features (for
text: its length and its share of unknown words). With many examples every drift is
significant, so it counts only if it is large as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gatewise.artifacts.prepared import DRAWN
from gatewise.config import GateData
from gatewise.delivery.gate.snapshot import Snapshot
from gatewise.evidence import statistics


@dataclass(frozen=True)
class LabelSet:
    """Labels that one of both has not."""

    added: list[str]
    removed: list[str]


@dataclass(frozen=True)
class ThenAndNow:
    """A number of the reference's data and of the candidate's."""

    reference: int
    candidate: int


@dataclass(frozen=True)
class Sizes:
    """How much data there are."""

    training_examples: ThenAndNow
    new_examples: int
    """Of any split."""
    new_groups: int
    removed_examples: int
    examples: int
    labels: int


@dataclass(frozen=True)
class KeptTests:
    """Test examples of the reference, and how many of them still are."""

    reference: int
    kept: int


@dataclass(frozen=True)
class Balance:
    """How far shares of labels have moved."""

    distance: float
    """Total variation."""
    p_value: float
    """Of the chi-squared test."""


@dataclass(frozen=True)
class ColumnsChanged:
    """Columns of the summary that one of both has not: nothing can be compared."""

    changed: list[str]


@dataclass(frozen=True)
class Distributions:
    """How far distributions over sequences have moved, by column of the summary."""

    distances: dict[str, float]
    """Kolmogorov-Smirnov."""
    p_values: dict[str, float | None]
    """Holm-corrected."""
    drifted: list[str]


Figures = LabelSet | Sizes | KeptTests | Balance | ColumnsChanged | Distributions


@dataclass(frozen=True)
class DataCheck:
    """One check of the data."""

    check: str
    sentence: str
    violated: bool
    figures: Figures | None = None
    """What the sentence rests on; nothing where nothing could be computed."""


def check(candidate: Snapshot, reference: Snapshot, settings: GateData) -> list[DataCheck]:
    """All checks of the candidate's data against the reference's that can be made."""
    checks = [labels(candidate.card.labels, reference.card.labels, settings.new_labels)]
    now, then = candidate.index, reference.index
    if now is not None and then is not None:
        checks.append(_sizes(candidate, now, then, settings))
        if not candidate.card.resample and not reference.card.resample:
            checks.append(_kept(now, then, settings))
        checks.append(_balance(candidate, now, then, settings))
    if candidate.summary is not None and reference.summary is not None:
        checks.append(features(candidate.summary, reference.summary, settings))
    return checks


def labels(now: list[str], then: list[str], allowed: tuple[str, ...]) -> DataCheck:
    """The label set may grow by the labels that the study allows, and by no other."""
    added, removed = sorted(set(now) - set(then)), sorted(set(then) - set(now))
    wrong = [name for name in added if name not in allowed]
    figures = LabelSet(added, removed)
    if not added and not removed:
        return DataCheck("labels", "the label set is unchanged", False, figures)
    said = [f"added {', '.join(added)}"] * bool(added)
    said += [f"removed {', '.join(removed)}"] * bool(removed)
    sentence = f"the label set changed: {'; '.join(said)}"
    if wrong and not removed:
        sentence += "; if that is meant, put them under gate.data.new_labels"
    return DataCheck("labels", sentence, bool(wrong or removed), figures)


def _training(index: pd.DataFrame) -> pd.DataFrame:
    return index[index["split"].isin(["train", DRAWN])]


def _sizes(
    candidate: Snapshot, now: pd.DataFrame, then: pd.DataFrame, settings: GateData
) -> DataCheck:
    old, new = len(_training(then)), len(_training(now))
    fresh = int((~now["id"].isin(then["id"])).sum())
    groups = len(set(now["group"]) - set(then["group"]))
    gone = int((~then["id"].isin(now["id"])).sum())
    figures = Sizes(
        training_examples=ThenAndNow(old, new),
        new_examples=fresh,
        new_groups=groups,
        removed_examples=gone,
        examples=len(now),
        labels=len(candidate.card.labels),
    )
    sentence = (
        f"{old:,} training examples then, {new:,} now ({fresh:,} new examples in all, "
        f"{groups:,} new groups, {gone:,} removed)"
    )
    return DataCheck("size", sentence, new < (1 - settings.shrink) * old, figures)


def _kept(now: pd.DataFrame, then: pd.DataFrame, settings: GateData) -> DataCheck:
    """Stable splits keep old test examples in the test split."""
    old = then[then["split"] == "test"]["id"]
    kept = int(old.isin(now[now["split"] == "test"]["id"]).sum())
    figures = KeptTests(len(old), kept)
    sentence = f"{kept:,} of the reference's {len(old):,} test examples are still tested"
    return DataCheck("test set", sentence, kept < (1 - settings.shrink) * len(old), figures)


def _balance(
    candidate: Snapshot, now: pd.DataFrame, then: pd.DataFrame, settings: GateData
) -> DataCheck:
    """Chi-squared test of homogeneity over the labels that both know."""
    from scipy import stats

    both = [name for name in candidate.card.labels if name in set(then["label"])]
    table = np.array(
        [
            _training(index)["label"].value_counts().reindex(both, fill_value=0).to_numpy()
            for index in (then, now)
        ]
    )
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():
        return DataCheck("balance", "too few labels to compare shares", False)
    test = stats.chi2_contingency(table)
    shares = table / table.sum(axis=1, keepdims=True)
    distance = float(0.5 * np.abs(shares[0] - shares[1]).sum())
    p = float(test.pvalue)
    violated = p <= settings.alpha and distance > settings.labels
    sentence = (
        f"shares of labels moved by {distance:.3f} in total variation (chi-squared "
        f"p = {p:.2g}; threshold {settings.labels:g} at p <= {settings.alpha:g})"
    )
    return DataCheck("balance", sentence, violated, Balance(distance, p))


def features(now: pd.DataFrame, then: pd.DataFrame, settings: GateData) -> DataCheck:
    """Two-sample Kolmogorov-Smirnov tests of every column, Holm-corrected."""
    from scipy import stats

    columns = [name for name in now.columns if name != "label" and name in then.columns]
    others = sorted(set(now.columns) ^ set(then.columns))
    if others:
        return DataCheck(
            "features",
            f"the features themselves changed ({others[0]} and others); not comparable",
            False,
            ColumnsChanged(others),
        )
    distances, p_values = {}, []
    for name in columns:
        test = stats.ks_2samp(now[name].to_numpy(), then[name].to_numpy(), method="asymp")
        distances[name] = float(test.statistic)
        p_values.append(float(test.pvalue))
    corrected = dict(zip(columns, statistics.holm(p_values), strict=True))
    drifted = [
        name
        for name in columns
        if (corrected[name] or 0.0) <= settings.alpha and distances[name] > settings.features
    ]
    worst = max(columns, key=lambda name: distances[name])
    sentence = (
        f"largest Kolmogorov-Smirnov distance {distances[worst]:.3f} ({worst}, corrected "
        f"p = {corrected[worst]:.2g}; threshold {settings.features:g} at p <= {settings.alpha:g})"
    )
    if drifted:
        sentence += f"; drifted: {', '.join(drifted[:5])}" + " and more" * (len(drifted) > 5)
    figures = Distributions(distances, corrected, drifted)
    return DataCheck("features", sentence, bool(drifted), figures)
