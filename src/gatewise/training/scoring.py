"""Predictions as a table, and the digests that prove reruns equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from gatewise.artifacts import digests
from gatewise.artifacts.objectives.base import Columns
from gatewise.artifacts.predictions import Predictions
from gatewise.artifacts.prepared import Prepared


def predictions(prepared: Prepared, rows: np.ndarray, columns: Columns) -> pd.DataFrame:
    """One row an example, in the order of the index whatever order they were scored in.

    Args:
        prepared: the task.
        rows: rows of its index that were scored.
        columns: what its objective says of them, in the order of `rows`.
    """
    order = np.argsort(rows)
    chosen = prepared.index.iloc[rows[order]]
    table: dict[str, Any] = {"id": chosen["id"].to_numpy(), "group": chosen["group"].to_numpy()}
    for name, values in columns.items():
        ordered = [values[place] for place in order]
        flat = isinstance(values, np.ndarray) and values.ndim == 1
        table[name] = np.array(ordered, dtype=values.dtype) if flat else ordered
    return pd.DataFrame(table)


def predictions_digest(table: pd.DataFrame) -> str:
    """sha256 over ids, truth and answers; independent of the file format."""
    return Predictions.of_frame(table).digest


def weights_digest(state: dict[str, torch.Tensor]) -> str:
    """sha256 over tensors in name order: name, type, shape and bytes."""
    return digests.of_weights(
        {name: tensor.detach().cpu().contiguous().numpy() for name, tensor in state.items()}
    )
