"""What every transform of a payload hands over."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Transformed:
    """What came of a payload, example by example in the manifest's order."""

    lengths: list[int] = field(default_factory=list)
    """Steps of each sequence; 0 for an example that cannot be used."""
    target_lengths: list[int] = field(default_factory=list)
    """Steps of each target, where they are written beside the sequences; none for classes."""
    contents: list[str] = field(default_factory=list)
    """Digest of what each example is made of: decoded samples, frames or normalised text."""
    unusable: dict[int, str] = field(default_factory=dict)
    """Row: why the example cannot be used."""
    flaws: dict[str, list[int]] = field(default_factory=dict)
    """Kind of flaw: rows of examples that are used all the same."""
    features: int | None = None
    vocabulary: int | None = None
    step_seconds: float | None = None
    figures: dict[str, float] = field(default_factory=dict)
    """More for the report."""
    unlearned: list[str] = field(default_factory=list)
    """Vocabulary entries that the training documents cannot have given."""
