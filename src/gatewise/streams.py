"""Named random streams.

Every random draw of a run comes from one of these streams, each derived from the run's seed
and its own name. `split`, `order`, `augment` and `alternatives` never see the variant: that is
what pairs the runs of one seed. A change to how one stream is consumed cannot disturb the others.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np

Stream = Literal["split", "order", "augment", "alternatives", "init", "dropout", "tuning"]


def torch_seed(seed: int, name: Stream, *position: int) -> int:
    """63-bit seed for `torch.manual_seed`."""
    return int.from_bytes(_entropy(seed, name, position)[:8], "little") >> 1


def generator(seed: int, name: Stream, *position: int) -> np.random.Generator:
    """A fresh generator at the start of the stream `name` of `seed`.

    `position` (epoch, process) names a place within the stream, so that a run can be resumed
    there without replaying what came before.
    """
    return np.random.default_rng(np.frombuffer(_entropy(seed, name, position), dtype=np.uint32))


def _entropy(seed: int, name: Stream, position: tuple[int, ...]) -> bytes:
    return hashlib.sha256("/".join(map(str, (name, seed, *position))).encode()).digest()
