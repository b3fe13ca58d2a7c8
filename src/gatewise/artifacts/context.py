"""`reports/context/<task>.json`: test scores when only the end of each sequence is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from gatewise.artifacts.document import Document, Part


class ContextScores(Part):
    """One variant's runs, at every context."""

    seeds: tuple[int, ...]
    scores: tuple[tuple[float, ...], ...]
    """The task's metric on the test split, `(seeds, contexts)`."""


class Attended(Part):
    """Where one run looks in one example for each symbol that it says."""

    example: str
    """Its id."""
    sort: str
    """`typical` or `worst`."""
    variant: str
    read: tuple[str, ...]
    """Steps of the input."""
    said: tuple[str, ...]
    """Symbols, the end being one."""
    weights: tuple[tuple[float, ...], ...]
    """Share of each step for each symbol, `(said, read)`."""


class ContextReport(Document):
    """What finished runs of a task score on the last steps of each test sequence."""

    stage: ClassVar[str] = "context"

    task: str
    metric: str
    steps: tuple[int, ...]
    """Contexts: the last so many steps are given, rising; the last one gives every sequence
    whole."""
    median_length: float
    """Of the sequences that are scored."""
    step_seconds: float | None
    """Duration of one step, for audio."""
    variants: Mapping[str, ContextScores]
    attention: tuple[Attended, ...] = Field((), exclude_if=lambda maps: not maps)
    """Of every variant on a few examples, where models look at their input as they answer."""
