"""What a model is given at once."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Batch(NamedTuple):
    """Padded sequences with their labels."""

    inputs: Tensor
    """`(batch, time, features)` float32 or `(batch, time)` int64, padded with zeros at the end."""
    lengths: Tensor
    """Steps of each sequence, `(batch,)`."""
    labels: Tensor
    """Class of each, `(batch,)`."""
