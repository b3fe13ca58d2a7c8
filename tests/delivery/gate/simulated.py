"""Simulated retrainings: what two sides would predict, with chosen differences between them."""

from __future__ import annotations

import numpy as np

from gatewise.config import GateConfig
from gatewise.delivery.gate import interval, slices
from gatewise.delivery.gate.interval import PairedSeed
from gatewise.delivery.gate.rule import Check

CLASSES = [f"k{i}" for i in range(5)]


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

    Both sides find the same groups and examples hard; each run has luck of its own, as a whole
    and with every example. `worse` lowers the candidate everywhere, `worse_class` in class 0.
    """
    examples = groups * per_group
    group = np.repeat(np.arange(groups), per_group)
    label = np.arange(examples) % len(CLASSES)
    ease = rng.normal(2.2, 1.6, examples) + rng.normal(0, 0.5, groups)[group]
    chance = 1 / (1 + np.exp(-ease))
    chance = np.clip(chance + level - chance.mean(), 0.01, 0.99)
    length = rng.integers(5, 60, examples)
    found = []
    for seed in range(seeds):
        sides = []
        for fall in (1.0, 0.0):
            p = chance + luck * rng.standard_normal() - fall * worse
            p = p - fall * worse_class * (label == 0)
            right = rng.random(examples) < np.clip(p, 0, 1)
            other = (label + 1 + rng.integers(0, len(CLASSES) - 1, examples)) % len(CLASSES)
            sides.append(np.where(right, label, other))
        found.append(
            PairedSeed(
                seed=seed,
                ids=np.array([f"e{i}" for i in range(examples)], dtype=object),
                groups=np.array([f"g{i:02d}" for i in group], dtype=object),
                label=label,
                candidate=sides[0],
                reference=sides[1],
                length=length,
                known=np.ones(examples, dtype=bool),
            )
        )
    return found


def check(pairs: list[PairedSeed], settings: GateConfig, **changes) -> Check:
    """A check as `weigh` would make it, ready to be decided."""
    made = Check("toy", "gru", "gru", "a simulation", "accuracy", must_pass=True)
    made.overall = interval.difference(pairs, "accuracy", settings.resamples)
    for name, chosen in slices.cut(pairs, CLASSES, settings.slices):
        made.slices[name] = interval.difference(chosen, "accuracy", settings.resamples)
    for name, value in changes.items():
        setattr(made, name, value)
    return made
