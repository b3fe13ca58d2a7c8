"""Data sources: one module each, found by its name.

A source module defines `class Source(SourceOptions)` with `kind: Literal["..."]`, its typed
options, three class attributes for people (`card`, `size`, `needs`) and `fetch(target)`, which
fills an empty folder as `gatewise.artifacts.manifest` describes. It may offer `reads()`, the files
of the user's that it reads (the first the one that must be there), which retraining watches, and
`look()`, which refuses early. Modules that begin with `_` are shared helpers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from gatewise.errors import GatewiseError
from gatewise.files import replacing

if TYPE_CHECKING:
    from gatewise.artifacts.manifest import Raw, SourceCard
    from gatewise.config import SourceOptions, Study


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


def reads(source: SourceOptions) -> list[Path]:
    """Files and folders of the user's that a source reads, as far as it says (`reads`)."""
    known = getattr(source, "reads", None)
    return [] if known is None else list(known())


def refusals(study: Study) -> dict[str, str]:
    """What fetching will refuse, by task, as far as a quick look can tell.

    Sources are looked at that offer `look` and whose files are here; the others may come from
    DVC's cache.
    """
    found = {}
    for task, config in study.tasks.items():
        look = getattr(config.source, "look", None)
        try:
            if look is not None and all(path.exists() for path in reads(config.source)[:1]):
                look()
        except GatewiseError as error:
            found[task] = f"tasks.{task}: {error}"
    return found


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
