"""What a model is given at once."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Batch(NamedTuple):
    """Padded sequences with their targets."""

    inputs: Tensor
    """`(batch, time, features)` float32 or `(batch, time)` int64, padded with zeros at the end."""
    lengths: Tensor
    """Steps of each sequence, `(batch,)`."""
    targets: Tensor
    """Class of each, `(batch,)`; or what else is asked for, `(batch, longest, ...)`, padded as the
    inputs are."""
    target_lengths: Tensor | None = None
    """Of each target, `(batch,)`, where it is no class."""
