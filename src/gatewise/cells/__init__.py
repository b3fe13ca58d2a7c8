"""The family of recurrent cells; `get` finds one by its name in `params.yaml`."""

from __future__ import annotations

from gatewise.cells import stock  # noqa: F401  (importing a module registers its cells)
from gatewise.cells.base import _FAMILY, Cell, State
from gatewise.config import suggest
from gatewise.errors import GatewiseError

__all__ = ["Cell", "State", "get", "names"]


def names() -> list[str]:
    """Names of all cells, in the order in which the family is introduced."""
    return list(_FAMILY)


def get(name: str) -> type[Cell]:
    """The cell called `name`.

    Raises:
        GatewiseError: there is none; the message suggests the nearest names.
    """
    if name not in _FAMILY:
        raise GatewiseError(f"unknown cell {name!r}{suggest(name, names())}")
    return _FAMILY[name]
