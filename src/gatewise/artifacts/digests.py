"""Digests of what a run left, by content: how a file lays it out does not matter."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np


def of_weights(tensors: Mapping[str, np.ndarray]) -> str:
    """sha256 over tensors in name order: name, type, shape and bytes.

    File bytes would not do: serialisers lay the same tensors out differently.
    """
    hasher = hashlib.sha256()
    for name in sorted(tensors):
        array = np.asarray(tensors[name])
        hasher.update(f"{name} torch.{array.dtype} {list(array.shape)}\n".encode())
        hasher.update(array.tobytes())
    return hasher.hexdigest()


def of_predictions(ids: Iterable[str], labels: np.ndarray, probabilities: np.ndarray) -> str:
    """sha256 over ids, labels and probabilities.

    Args:
        ids: of the examples.
        labels: class of each, `(examples,)`.
        probabilities: `(examples, classes)`.
    """
    hasher = hashlib.sha256("".join(f"{identifier}\n" for identifier in ids).encode())
    hasher.update(labels.astype("<i4").tobytes())
    hasher.update(probabilities.astype("<f4").tobytes())
    return hasher.hexdigest()
