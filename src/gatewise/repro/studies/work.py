"""What rules choose for data that ask for more than a label, beside what every study has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gatewise.repro.studies.choices import Chosen, Section
from gatewise.repro.studies.learning import Passes, learning_rate
from gatewise.repro.studies.sizes import SplitSizes


@dataclass(frozen=True)
class Steps:
    """What a training step costs, as `timing.measure` is asked for it."""

    steps: int
    """Of a recurrence over one sequence, both ways and those of a decoder counted."""
    outputs: int
    features: int | None = None
    """Of sounds and series, per step."""
    vocabulary: int | None = None
    """Token ids, of texts."""


@dataclass(frozen=True)
class Work:
    """A task, and the sizes of its models and runs."""

    metric: Chosen
    objective: Section
    features: Section
    model: Section
    sizes: SplitSizes
    passes: Passes
    steps: Steps
    width: Chosen
    """Units of the LSTM and the GRU."""
    bidirectional: bool = False
    """Whether variants read both ways."""
    split: Section | None = None
    """Nothing where splits lie in time."""
    train: Mapping[str, Chosen | Section] = field(default_factory=dict)
    """Settings beside epochs, batch and rate."""
    more: Mapping[str, Chosen | Section] = field(default_factory=dict)
    """Further sections of the task."""
    examples: str = ""
    """What there is, in words."""


def passes(examples: int, seen: int, within: tuple[int, int], batches: Mapping[int, int]) -> Passes:
    """How a run goes through its examples.

    Args:
        examples: that train.
        seen: examples that a run is to see in all of its epochs.
        within: fewest and most epochs.
        batches: sizes by the number of examples from which they are taken.
    """
    batch = batches[max(least for least in batches if least <= examples or least == min(batches))]
    count = min(max(round(seen / examples), within[0]), within[1])
    return Passes(count, batch, learning_rate(batch), count * -(-examples // batch))
