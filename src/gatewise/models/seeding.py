"""Parts of a model that start from a seed of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

_Part = TypeVar("_Part")


def seeded(seed: int, build: Callable[[], _Part]) -> _Part:
    """Build something from its own seed and leave the global generator where it was."""
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        return build()
    finally:
        torch.set_rng_state(before)
