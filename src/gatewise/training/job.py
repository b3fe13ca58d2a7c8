"""One run to be trained: what is handed from the stage to a worker process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gatewise.artifacts.plan import RunPlan


@dataclass(frozen=True)
class Job:
    """One seed of a plan."""

    plan: RunPlan
    seed: int
    key: str
    """The run's identity, written to its record."""
    prepared: Path
    """`data/prepared/<task>/`."""
    folder: Path
    """An empty folder for the results."""
    checkpoint: Path | None = None
    """Where the run keeps what it needs to go on after a kill; nowhere if `None`."""
    software: str = ""
    """Digest of the software that decides the run, written to its record."""
    trial: int | None = None
    """Number of the point that is tried, if this is a trial's run: it never sees the test split."""
