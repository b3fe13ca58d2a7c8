"""The one place where the clock decides about a study: how long a step of it takes here.

What comes of it (trials, seeds) is written into `params.yaml`; from there on nothing reads a clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatewise.files import cores

SECONDS = 1.0
"""That are spent on measuring, warm-up aside."""


@dataclass(frozen=True)
class Pace:
    """How fast this machine trains."""

    step_seconds: float
    """Of one training step of the LSTM."""
    workers: int
    """Runs that are trained at once."""


def measure(
    hidden: int,
    embedding: int,
    batch: int,
    steps: int,
    classes: int,
    features: int | None,
    vocabulary: int | None,
) -> Pace:
    """Time some training steps of an LSTM on random numbers of the study's sizes.

    Args:
        hidden: its units.
        embedding: width of token embeddings.
        batch: sequences of a batch.
        steps: of each sequence.
        classes: labels.
        features: per step, of sounds.
        vocabulary: token ids, of texts.
    """
    import torch

    from gatewise.artifacts.objectives.classify import Objective
    from gatewise.config import VariantConfig
    from gatewise.diagnostics import profiling
    from gatewise.models.batch import Batch
    from gatewise.models.building import build
    from gatewise.models.complexity import Sizes

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        variant = VariantConfig(cell="lstm", hidden=hidden, embedding=embedding, pooling="max")
        model = build(variant, Sizes(outputs=classes, features=features, vocabulary=vocabulary))
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
        inputs = (
            torch.randn(batch, steps, features)
            if features is not None
            else torch.randint(1, vocabulary or 2, (batch, steps))
        )
        one = Batch(inputs, torch.full((batch,), steps), torch.randint(classes, (batch,)))
        subject = profiling.Subject(model, optimizer, Objective(), clip_norm=1.0, macs_per_step=0)
        took = profiling.interleaved(
            {"lstm": lambda: profiling.train_step(subject, one)}, SECONDS, torch.device("cpu")
        )
    finally:
        torch.set_num_threads(before)
    return Pace(took["lstm"].median / 1000, cores())
