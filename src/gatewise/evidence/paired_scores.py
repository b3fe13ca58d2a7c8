"""Scores that an answer may rest on: the seeds that all variants share, in units to be flipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gatewise.evidence.prediction_counts import PredictionCounts


@dataclass(frozen=True)
class PairedScores:
    """Scores of several variants on shared seeds.

    Where splits are balanced, the seeds of a round may be one unit: a round tests every group once,
    so rounds are exchangeable where the seeds within them are not.
    """

    scores: Mapping[str, Mapping[int, float]]
    """By variant and seed; of any two variants one has the first seeds of the other."""
    round: int = 1
    """Seeds in a unit."""
    left_out: tuple[str, ...] = ()
    """Why seeds were left out, a sentence each."""

    def named(self, units: int) -> str:
        """So many units in words: `8 paired seeds`, `5 rounds of 3 seeds`."""
        plural = "" if units == 1 else "s"
        if self.round == 1:
            return f"{units} paired seed{plural}"
        return f"{units} round{plural} of {self.round} seeds"

    def unit_count(self, seeds: int) -> int:
        """Whole units in so many seeds."""
        return seeds // self.round

    def seeds(self, variant: str, units: int) -> list[int]:
        """The seeds of the first `units` units of a variant."""
        return list(self.scores[variant])[: units * self.round]

    def units(self, variant: str) -> list[float]:
        """Mean score of each whole unit."""
        values = list(self.scores[variant].values())
        whole = self.unit_count(len(values))
        rounds = np.reshape(values[: whole * self.round], (whole, self.round))
        return [float(mean) for mean in rounds.mean(axis=1)]


def pair(
    task: str,
    scores: Mapping[str, Mapping[int, float]],
    wanted: Mapping[str, Sequence[int]],
    predictions: Mapping[str, Mapping[int, PredictionCounts]],
    round: int = 1,
) -> PairedScores:
    """The scores of the seeds on which all variants can be compared.

    Left out are, with their whole unit: a seed that a variant should have a score of and has not,
    and one with which variants were tested on different examples.

    Args:
        task: its name, for sentences.
        scores: by variant and seed; variants without any are ignored.
        wanted: the seeds that each variant was to run, those of one being the first of another.
        predictions: by variant and seed, where they were kept.
        round: seeds in a unit.
    """
    present = [variant for variant, by_seed in scores.items() if by_seed]
    order = max((list(wanted[variant]) for variant in present), key=len, default=[])
    sentences, bad = [], set()
    for place, seed in enumerate(order):
        racing = [variant for variant in present if seed in wanted[variant]]
        reason = _unusable(seed, racing, scores, predictions)
        if reason is not None:
            sentences.append(f"{task}: the answer leaves out seed {seed}: {reason}.")
            bad.add(place // round)
    usable = [seed for place, seed in enumerate(order) if place // round not in bad]
    kept = {
        variant: {seed: scores[variant][seed] for seed in usable if seed in wanted[variant]}
        for variant in present
    }
    return PairedScores(kept, round, tuple(sentences))


def _unusable(
    seed: int,
    racing: Sequence[str],
    scores: Mapping[str, Mapping[int, float]],
    predictions: Mapping[str, Mapping[int, PredictionCounts]],
) -> str | None:
    """Why no comparison can rest on a seed, if so."""
    missing = [variant for variant in racing if seed not in scores[variant]]
    if missing:
        return f"{', '.join(missing)} lacks a usable run with it"
    tested: dict[str, str] = {}
    for variant in racing:
        if seed in predictions.get(variant, {}):
            tested.setdefault(predictions[variant][seed].test_set, variant)
    if len(tested) > 1:
        return f"{' and '.join(tested.values())} were tested on different examples with it"
    return None
