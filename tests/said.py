"""Predictions of models that generate texts, made up: references, and what was said of them."""

import numpy as np
import pandas as pd
import torch

from gatewise.artifacts import objectives
from gatewise.artifacts.objectives.base import SILENT, Answered
from gatewise.artifacts.predictions import Predictions

NAMES = [f"word{k}" for k in range(12)]
ASKS = objectives.of({"kind": "generate"}, NAMES)


def texts(examples: int, seed: int = 0) -> list[list[int]]:
    """References of four to nine symbols."""
    draws = np.random.default_rng(seed)
    lengths = draws.integers(4, 10, size=examples)
    return [draws.integers(len(NAMES), size=length).tolist() for length in lengths]


def garbled(references: list[list[int]], share: float, seed: int) -> list[list[int]]:
    """What a model says that has this share of the symbols wrong."""
    draws = np.random.default_rng(seed)
    return [
        [int(draws.integers(len(NAMES))) if draws.random() < share else k for k in own]
        for own in references
    ]


def predictions(
    references: list[list[int]], said: list[list[int]], groups: list[str] | None = None
) -> Predictions:
    """The table of such a run; by default two examples form a group."""
    longest = max(map(len, [*references, *said]))

    def padded(rows: list[list[int]], padding: int) -> torch.Tensor:
        return torch.tensor([[*row, *[padding] * (longest - len(row))] for row in rows])

    lengths = torch.tensor([len(row) for row in references])
    targets, spoken = padded(references, 0), padded(said, SILENT)
    part = Answered(torch.zeros(len(said), 1), lengths, targets, lengths, spoken)
    columns = ASKS.predictions([part])
    rows = range(len(said))
    first = {"id": [f"e{k:04d}" for k in rows], "group": groups or [f"g{k // 2}" for k in rows]}
    return Predictions.of_frame(
        pd.DataFrame(first | {name: list(values) for name, values in columns.items()})
    )
