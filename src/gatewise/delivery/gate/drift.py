"""Old against new training data: label set, sizes, shares of labels, distributions of features.

Distributions are compared over sequences, not over frames, which are no independent
observations: each sequence counts once, with its length and the means of its features (for
text: its length and its share of unknown words). With many examples every drift is
significant, so it counts only if it is large as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gatewise.artifacts.prepared import DRAWN
from gatewise.config import GateData
from gatewise.delivery.gate.snapshot import Side
from gatewise.evidence import statistics


@dataclass(frozen=True)
class Finding:
    """One check of the data."""

    check: str
    sentence: str
    violated: bool
    figures: Mapping[str, Any]


def check(candidate: Side, reference: Side, settings: GateData) -> list[Finding]:
    """All checks of the candidate's data against the reference's that can be made."""
    found = [labels(candidate.card.labels, reference.card.labels, settings.new_labels)]
    now, then = candidate.index, reference.index
    if now is not None and then is not None:
        found.append(_sizes(candidate, now, then, settings))
        if not candidate.card.resample and not reference.card.resample:
            found.append(_kept(now, then, settings))
        found.append(_balance(candidate, now, then, settings))
    if candidate.summary is not None and reference.summary is not None:
        found.append(features(candidate.summary, reference.summary, settings))
    return found


def labels(now: list[str], then: list[str], allowed: tuple[str, ...]) -> Finding:
    """The label set may grow by the labels that the study allows, and by no other."""
    added, removed = sorted(set(now) - set(then)), sorted(set(then) - set(now))
    wrong = [name for name in added if name not in allowed]
    figures = {"added": added, "removed": removed}
    if not added and not removed:
        return Finding("labels", "the label set is unchanged", False, figures)
    said = [f"added {', '.join(added)}"] * bool(added)
    said += [f"removed {', '.join(removed)}"] * bool(removed)
    sentence = f"the label set changed: {'; '.join(said)}"
    if wrong and not removed:
        sentence += "; if that is meant, put them under gate.data.new_labels"
    return Finding("labels", sentence, bool(wrong or removed), figures)


def _training(index: pd.DataFrame) -> pd.DataFrame:
    return index[index["split"].isin(["train", DRAWN])]


def _sizes(candidate: Side, now: pd.DataFrame, then: pd.DataFrame, settings: GateData) -> Finding:
    old, new = len(_training(then)), len(_training(now))
    fresh = int((~now["id"].isin(then["id"])).sum())
    groups = len(set(now["group"]) - set(then["group"]))
    gone = int((~then["id"].isin(now["id"])).sum())
    figures = {
        "training_examples": {"reference": old, "candidate": new},
        "new_examples": fresh,
        "new_groups": groups,
        "removed_examples": gone,
        "examples": len(now),
        "labels": len(candidate.card.labels),
    }
    sentence = (
        f"{old:,} training examples then, {new:,} now ({fresh:,} new examples in all, "
        f"{groups:,} new groups, {gone:,} removed)"
    )
    return Finding("size", sentence, new < (1 - settings.shrink) * old, figures)


def _kept(now: pd.DataFrame, then: pd.DataFrame, settings: GateData) -> Finding:
    """Stable splits keep old test examples in the test split."""
    old = then[then["split"] == "test"]["id"]
    kept = int(old.isin(now[now["split"] == "test"]["id"]).sum())
    figures = {"reference": len(old), "kept": kept}
    sentence = f"{kept:,} of the reference's {len(old):,} test examples are still tested"
    return Finding("test set", sentence, kept < (1 - settings.shrink) * len(old), figures)


def _balance(candidate: Side, now: pd.DataFrame, then: pd.DataFrame, settings: GateData) -> Finding:
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
        return Finding("balance", "too few labels to compare shares", False, {})
    test = stats.chi2_contingency(table)
    shares = table / table.sum(axis=1, keepdims=True)
    distance = float(0.5 * np.abs(shares[0] - shares[1]).sum())
    p = float(test.pvalue)
    violated = p <= settings.alpha and distance > settings.labels
    sentence = (
        f"shares of labels moved by {distance:.3f} in total variation (chi-squared "
        f"p = {p:.2g}; threshold {settings.labels:g} at p <= {settings.alpha:g})"
    )
    return Finding("balance", sentence, violated, {"distance": distance, "p_value": p})


def features(now: pd.DataFrame, then: pd.DataFrame, settings: GateData) -> Finding:
    """Two-sample Kolmogorov-Smirnov tests of every column, Holm-corrected."""
    from scipy import stats

    columns = [name for name in now.columns if name != "label" and name in then.columns]
    others = sorted(set(now.columns) ^ set(then.columns))
    if others:
        return Finding(
            "features",
            f"the features themselves changed ({others[0]} and others); not comparable",
            False,
            {"changed": others},
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
    figures = {"distances": distances, "p_values": corrected, "drifted": drifted}
    return Finding("features", sentence, bool(drifted), figures)
