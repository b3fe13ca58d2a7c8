"""Prepared tasks shaped like those of the default study, made up on the spot."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.prepared import Prepared, TaskCard
from gatewise.config import Augment, SpecAugment, SplitConfig, TrainConfig, VariantConfig
from gatewise.files import digest
from gatewise.training import instructions

AUGMENT = Augment(
    time_shift=0.1,
    noise_snr_db=(5, 40),
    gain_db=(-6, 6),
    spec_augment=SpecAugment(),
)
STUDY = {
    "clips": {"epochs": 9, "batch_size": 128},
    "frames": {"epochs": 9, "batch_size": 64},
    "text": {"epochs": 4, "batch_size": 128},
}
CLASSES = 10


def write(folder: Path, kind: str, examples: int) -> Prepared:
    """A task of `examples` sequences.

    Args:
        folder: where to.
        kind: `clips` (50 log-mel frames of 40 bands), `frames` (6 to 40 steps of 13 features) or
            `text` (5 to 48 of 8,000 words).
        examples: how many; a tenth validates, a tenth tests.
    """
    folder.mkdir(parents=True)
    draws = np.random.default_rng(0)
    shortest, longest = {"clips": (50, 50), "frames": (6, 40), "text": (5, 48)}[kind]
    lengths = draws.integers(shortest, longest + 1, examples)
    labels = draws.integers(CLASSES, size=examples)
    steps = int(lengths.sum())
    if kind == "text":
        sequences = draws.integers(2, 8000, steps, dtype=np.int32)
    else:
        width = 40 if kind == "clips" else 13
        sequences = draws.normal(-5, 2, (steps, width)).astype(np.float32)
    split = np.where(np.arange(examples) % 10 == 0, "test", "train").astype(object)
    split[1::10] = "validation"
    index = pd.DataFrame(
        {
            "id": [f"{i:06d}" for i in range(examples)],
            "label": labels.astype(np.int32),
            "group": [f"g{i % 10}" for i in range(examples)],
            "split": split,
            "start": np.cumsum(lengths) - lengths,
            "length": lengths,
        }
    )
    card = TaskCard(
        task=kind,
        modality={"clips": "audio", "frames": "frames", "text": "text"}[kind],  # type: ignore[arg-type]
        title="noise",
        synthetic=True,
        licence="none",
        labels=[str(i) for i in range(CLASSES)],
        features=None if kind == "text" else sequences.shape[1],
        vocabulary=8000 if kind == "text" else None,
        normalise={"clips": "clip", "frames": "train", "text": "none"}[kind],  # type: ignore[arg-type]
        front_end={},
        step_seconds=0.02 if kind == "clips" else None,
        resample=False,
        split=SplitConfig().model_dump(mode="json"),
        metric="accuracy",
        digest=digest([kind, examples]),
    )
    np.save(folder / "sequences.npy", sequences)
    Prepared(card, sequences, index).write(folder)
    return Prepared.open(folder)


def plan(
    kind: str, *, cell: str = "lstm", hidden: int = 64, seeds: int = 1, **train: int
) -> RunPlan:
    """A plan with the epochs and the batch size of the default study, unless told otherwise."""
    return RunPlan(
        task=kind,
        variant=cell,
        config=VariantConfig(cell=cell, hidden=hidden),
        reference=None,
        train=TrainConfig.model_validate({**STUDY[kind], **train}),
        split=SplitConfig(),
        augment=AUGMENT if kind == "clips" else None,
        metric="accuracy",
        seeds=tuple(range(seeds)),
        threads=1,
        accelerator="cpu",
        precision="32-true",
        instructions="native" if os.environ[instructions.MODE] == "native" else "portable",
    )
