"""The family of recurrent cells; `get` finds one by its name in `params.yaml`.

A new cell is one new file in this folder: all modules here are imported, and with them register
their cells.
"""

from __future__ import annotations

import importlib
import pkgutil

from gatewise.config import suggest
from gatewise.errors import GatewiseError
from gatewise.models.cells.base import _FAMILY, Cell, State

__all__ = ["Cell", "State", "get", "names"]

_FIRST = ("stock", "greff", "lstm", "gru", "layernorm", "mut", "minimal")
"""Families in the order in which they are listed to people; others follow."""

_COMPILED = "compiled"
"""Holds no cell, and takes seconds to import: left to the first sequence that is run."""

# Importing a module registers its cells: a new cell is one more file in this folder.
_modules = {module.name for module in pkgutil.iter_modules(__path__)} - {_COMPILED}
for _module in (*_FIRST, *sorted(_modules - {*_FIRST})):
    importlib.import_module(f"{__name__}.{_module}")


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
