"""Data sources: one module each, found by its name.

A source module defines `class Source(SourceOptions)` with `kind: Literal["..."]`, its typed
options, three class attributes for people (`card`, `size`, `needs`) and `fetch(target)`, which
fills an empty folder as `gatewise.artifacts.manifest` describes. Modules that begin with `_` are
shared helpers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from gatewise.files import replacing

if TYPE_CHECKING:
    from gatewise.artifacts.manifest import Raw, SourceCard
    from gatewise.config import SourceOptions


class Fetching(Protocol):
    """What every source offers beside its options."""

    card: ClassVar[SourceCard]
    """What the data are."""
    size: ClassVar[str]
    """How much there is, and how much is downloaded."""
    needs: ClassVar[str]
    """What must be there before it can be fetched."""

    def fetch(self, target: Path) -> None:
        """Fill the empty folder `target`."""


def fetch(source: SourceOptions, target: Path) -> Raw:
    """Fetch `source` into the folder `target`, which appears only when it is complete.

    Raises:
        GatewiseError: the data cannot be had or break the manifest's schema.
    """
    from gatewise.artifacts.manifest import Raw

    with replacing(target) as folder:
        folder.mkdir()
        cast("Fetching", source).fetch(folder)
    return Raw.open(target)
