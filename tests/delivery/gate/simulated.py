"""Simulated retrainings: predictions of candidate and reference with chosen differences."""

from __future__ import annotations

import numpy as np

from gatewise.artifacts.judged import JudgedClasses
from gatewise.config import GateConfig
from gatewise.config.metrics import METRICS, Metric, negative_log
from gatewise.delivery.gate import interval, slices
from gatewise.delivery.gate.interval import PairedSeed
from gatewise.delivery.gate.rule import Check

CLASSES = [f"k{i}" for i in range(5)]
ACCURACY = METRICS["accuracy"]
SURE, UNSURE = 0.9, 0.1
"""Probability of the own label where the prediction is right, and where it is wrong."""


def retraining(
    rng: np.random.Generator,
    *,
    seeds: int = 8,
    groups: int = 20,
    per_group: int = 25,
    level: float = 0.85,
    worse: float = 0.0,
    worse_class: float = 0.0,
    luck: float = 0.004,
) -> list[PairedSeed]:
    """Candidate and reference of equal skill, but for what is asked for.

    Both find the same groups and examples hard; each run has luck of its own, as a whole
    and with every example. `worse` lowers the candidate everywhere, `worse_class` in class 0.
    """
    examples = groups * per_group
    group = np.repeat(np.arange(groups), per_group)
    label = np.arange(examples) % len(CLASSES)
    ease = rng.normal(2.2, 1.6, examples) + rng.normal(0, 0.5, groups)[group]
    chance = 1 / (1 + np.exp(-ease))
    chance = np.clip(chance + level - chance.mean(), 0.01, 0.99)
    length = rng.integers(5, 60, examples)
    pairs = []
    for seed in range(seeds):
        runs = []
        for fall in (1.0, 0.0):
            p = chance + luck * rng.standard_normal() - fall * worse
            p = p - fall * worse_class * (label == 0)
            right = rng.random(examples) < np.clip(p, 0, 1)
            other = (label + 1 + rng.integers(0, len(CLASSES) - 1, examples)) % len(CLASSES)
            losses = negative_log(np.where(right, SURE, UNSURE))
            runs.append(JudgedClasses(label, np.where(right, label, other), losses))
        pairs.append(
            PairedSeed(
                seed=seed,
                ids=np.array([f"e{i}" for i in range(examples)], dtype=object),
                groups=np.array([f"g{i:02d}" for i in group], dtype=object),
                label=label,
                candidate=runs[0],
                reference=runs[1],
                length=length,
                known=np.ones(examples, dtype=bool),
            )
        )
    return pairs


def check(
    pairs: list[PairedSeed], settings: GateConfig, metric: Metric = ACCURACY, **changes
) -> Check:
    """A check as the gate would make it, ready to be decided."""
    made = Check("toy", "gru", "gru", "a simulation", metric, must_pass=True)
    made.overall = interval.difference(pairs, metric, settings.resamples)
    for name, chosen in slices.cut(pairs, CLASSES, settings.slices):
        made.slices[name] = interval.difference(
            chosen, slices.scored_by(metric), settings.resamples
        )
    for name, value in changes.items():
        setattr(made, name, value)
    return made
