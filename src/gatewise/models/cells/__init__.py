"""The family of recurrent cells; `get` finds one by its name in `params.yaml`."""

from __future__ import annotations

import importlib

from gatewise.config import suggest
from gatewise.errors import GatewiseError
from gatewise.models.cells.base import _FAMILY, Cell, State

__all__ = ["Cell", "State", "get", "names"]

# Importing a module registers its cells, in the order in which they are listed to people.
for _module in ("stock", "greff", "lstm", "gru", "layernorm", "mut", "minimal"):
    importlib.import_module(f"gatewise.models.cells.{_module}")


def names() -> list[str]:
    """Names of all cells, siblings together."""
    return list(_FAMILY)


def get(name: str) -> type[Cell]:
    """The cell called `name`.

    Raises:
        GatewiseError: there is none; the message suggests the nearest names.
    """
    if name not in _FAMILY:
        raise GatewiseError(f"unknown cell {name!r}{suggest(name, names())}")
    return _FAMILY[name]
