"""The contract of simple opponents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from gatewise.artifacts.baselines import GroupCounts
from gatewise.artifacts.prepared import Prepared
from gatewise.config.metrics import METRICS

Rows = Mapping[str, npt.NDArray[np.intp]]
"""Rows of the index by split."""


class Opponents(ABC):
    """What a task is worth without recurrence."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.metric = METRICS[prepared.card.metric]

    @property
    @abstractmethod
    def titles(self) -> dict[str, str]:
        """As tables call them, by name."""

    @abstractmethod
    def score(self, rows: Rows) -> dict[str, float]:
        """Test score of each by the task's primary metric, learnt from the training rows.

        What has to be chosen is chosen on the validation rows.
        """

    def counts(self) -> dict[str, GroupCounts]:
        """Counts of the predictions that were scored last, by name; of some opponents or none."""
        return {}
