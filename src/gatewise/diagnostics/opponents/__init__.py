"""Simple opponents of the networks, a module for each objective of the same name.

They show whether recurrence pays: each sees the same splits as the networks.
"""

from __future__ import annotations

import importlib
from typing import cast

from gatewise.artifacts.prepared import Prepared
from gatewise.diagnostics.opponents.base import Opponents

__all__ = ["Opponents", "module_of", "of"]


def module_of(objective: str) -> str:
    """Name of the module that holds an objective's opponents."""
    return f"{__name__}.{objective}"


def of(prepared: Prepared) -> Opponents:
    """The opponents on a task."""
    module = importlib.import_module(module_of(prepared.card.asks.kind))
    return cast("Opponents", module.Opponents(prepared))
