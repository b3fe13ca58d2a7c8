"""Small prepared tasks and plans for tests: learnable in seconds, written like real ones."""

from pathlib import Path

import numpy as np
import pandas as pd

from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.prepared import Prepared, TaskCard
from gatewise.config import Augment, Frames, SplitConfig, Tokens, TrainConfig, VariantConfig
from gatewise.files import digest

LABELS = ["left", "right", "stop"]


def write_task(
    folder: Path, *, text: bool = False, examples: int = 120, resample: bool = False, noise=0.5
) -> Prepared:
    """A task whose label shows in the second half of each sequence of 4 to 12 steps."""
    folder.mkdir(parents=True, exist_ok=True)
    draws = np.random.default_rng(7)
    labels = np.arange(examples) % len(LABELS)
    lengths = draws.integers(4, 13, examples)
    parts = []
    for label, length in zip(labels, lengths, strict=True):
        if text:
            part = draws.integers(5, 20, length)
            part[length // 2 :] = 2 + label
        else:
            part = draws.normal(0, noise, (length, 4))
            part[length // 2 :, label] += 1
        parts.append(part)
    sequences = np.concatenate(parts).astype(np.int32 if text else np.float32)
    groups = [f"speaker-{i // 6 % 10}" for i in range(examples)]
    fixed = {"speaker-0": "test", "speaker-1": "test", "speaker-2": "validation"}
    index = pd.DataFrame(
        {
            "id": [f"clip-{i:04d}" for i in range(examples)],
            "label": labels.astype(np.int32),
            "group": groups,
            "split": ["drawn" if resample else fixed.get(g, "train") for g in groups],
            "start": np.cumsum(lengths) - lengths,
            "length": lengths,
        }
    )
    features = Tokens(kind="tokens") if text else Frames(kind="frames")
    card = TaskCard(
        task="toy",
        modality="text" if text else "frames",
        title="made up for tests",
        synthetic=True,
        licence="MIT",
        labels=LABELS,
        features=None if text else 4,
        vocabulary=20 if text else None,
        normalise="none" if text else "train",
        front_end=features.model_dump(mode="json"),
        resample=resample,
        split=SplitConfig(resample=resample).model_dump(mode="json"),
        metric="accuracy",
        digest=digest([text, examples, resample, noise]),
    )
    np.save(folder / "sequences.npy", sequences)
    prepared = Prepared(card, sequences, index)
    prepared.write(folder)
    return Prepared.open(folder)


def make_plan(
    variant: str = "gru",
    *,
    seeds: tuple[int, ...] = (0, 1),
    augment: Augment | None = None,
    accelerator: str = "cpu",
    threads: int = 1,
    config: VariantConfig | None = None,
    **train,
) -> RunPlan:
    """A plan for the toy task that trains in well under a second."""
    settings = {"epochs": 2, "batch_size": 16, "learning_rate": 0.02, **train}
    return RunPlan(
        task="toy",
        variant=variant,
        config=config or VariantConfig(cell=variant, hidden=8),
        reference=None,
        train=TrainConfig(**settings),
        split=SplitConfig(),
        augment=augment,
        metric="accuracy",
        seeds=seeds,
        threads=threads,
        accelerator=accelerator,
        precision="32-true",
    )
