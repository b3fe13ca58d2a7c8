"""Which module writes targets of which kind, where they are texts that a manifest has as labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import numpy as np
import pandas as pd

from gatewise.config import ObjectiveOptions
from gatewise.config.objectives import TargetKind
from gatewise.data.preparation import references, symbols
from gatewise.data.preparation.certificate import Finding
from gatewise.data.preparation.transformed import Transformed


class Writer(Protocol):
    """A module that writes targets of one kind."""

    def write(
        self,
        labels: Sequence[str],
        split: np.ndarray,
        done: Transformed,
        options: ObjectiveOptions,
        folder: Path,
    ) -> list[str]:
        """Write the targets of all examples that can be used, and note in `done` which cannot."""

    def learnt(
        self, rows: pd.DataFrame, done: Transformed, resample: bool, options: ObjectiveOptions
    ) -> Finding:
        """Whether what is asked for can be learnt from training."""


WRITERS: Mapping[TargetKind, Writer] = MappingProxyType({"symbols": symbols, "tokens": references})
"""Classes stand in the index, and values come with the payload."""


def write(
    labels: Sequence[str],
    split: np.ndarray,
    done: Transformed,
    options: ObjectiveOptions,
    folder: Path,
) -> list[str]:
    """Write targets that are texts; nothing for other objectives."""
    writer = WRITERS.get(options.target)
    return [] if writer is None else writer.write(labels, split, done, options, folder)


def learnt(
    rows: pd.DataFrame, done: Transformed, resample: bool, options: ObjectiveOptions
) -> Finding | None:
    """What the certificate says of such targets; nothing for other objectives."""
    writer = WRITERS.get(options.target)
    return None if writer is None else writer.learnt(rows, done, resample, options)
