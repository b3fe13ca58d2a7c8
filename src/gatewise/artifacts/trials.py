"""`trial.json`: what one run of a trial leaves, beside its curves and validation predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field

from gatewise.artifacts.document import Part, read_model
from gatewise.files import write_json

RECORD = "trial.json"


class TrialRecord(Part):
    """`trial.json`."""

    key: str
    """sha256 of everything that determines it: plan with what is tried, data, seed, software."""
    seed: int
    metrics: dict[str, float] = Field(default_factory=dict)
    """`loss` and every registered metric on the validation split; none where training diverged."""
    epochs_run: int = 0
    best_epoch: int = 0
    """Counted from 1."""
    training_macs: float = 0.0
    """Multiply-accumulates of the recurrence, forward and backward, over all epochs."""
    diverged: str = ""
    """What happened, where training diverged."""

    def write(self, folder: Path) -> None:
        """Write it into `folder`."""
        write_json(folder / RECORD, self.model_dump(mode="json"))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read it from `folder`.

        Raises:
            GatewiseError: it is missing or not of this version.
        """
        return read_model(cls, folder / RECORD, "tune")
