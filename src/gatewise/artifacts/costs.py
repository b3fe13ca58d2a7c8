"""`reports/cost/<task>.json`: what each variant costs on the machine that measured it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from gatewise.artifacts.document import Document, Part


class Quartiles(Part):
    """Milliseconds."""

    median: float
    q1: float
    q3: float


class Timing(Quartiles):
    """A median with its quartiles and every round behind it."""

    rounds: tuple[float, ...]
    """Of two timings that took turns, equal places are one moment."""

    @property
    def quartiles(self) -> Quartiles:
        """The same without the rounds."""
        return Quartiles(median=self.median, q1=self.q1, q3=self.q3)


class Structure(Part):
    """A cell by the names of its parts."""

    gates: tuple[str, ...]
    states: tuple[str, ...]


class VariantCost(Part):
    """One variant's costs."""

    kernel: str
    """What computed the recurrence: `fused` or `unrolled`."""
    structure: Structure
    train_step_ms: Timing
    inference_ms_batch_1: Timing
    inference_ms_batch_64: Timing
    streaming_step_ms: Timing | None
    """One step of one sequence; a bidirectional variant has none."""
    share_of_peak: float
    """Of the time of a training step, what large matrix products of as many multiply-accumulates
    take, in turns with it: how well the kernel uses the device, whatever the cell needs. A
    backward pass counts as two forward passes."""
    train_seconds_per_epoch: float
    """Median training step times the batches of an epoch."""
    peak_memory_mb: float
    """Tensors alive in one training step, 10^6 bytes."""
    size_bytes: int
    """Of the weights on disk."""
    macs_per_step: int
    parameters: int

    @property
    def timings(self) -> dict[str, Timing | None]:
        """All of them by name."""
        return {
            "train_step_ms": self.train_step_ms,
            "inference_ms_batch_1": self.inference_ms_batch_1,
            "inference_ms_batch_64": self.inference_ms_batch_64,
            "streaming_step_ms": self.streaming_step_ms,
        }


class CostReport(Document):
    """The costs of all variants of one task."""

    stage: ClassVar[str] = "profile"

    task: str
    device: str
    """In words, as a reader knows it."""
    threads: int
    versions: Mapping[str, str]
    """Of the libraries that were timed."""
    variants: Mapping[str, VariantCost]
