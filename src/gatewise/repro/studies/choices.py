"""What a rule chooses: a value and why, which becomes the comment beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Chosen:
    """A value of `params.yaml` with the reason for it."""

    value: Any
    """A number, word, list or mapping, as YAML has it."""
    reason: str = ""
    """In words; nothing where the key says enough."""


Section = Mapping[str, "Chosen | Section"]
"""A part of `params.yaml`: what was chosen, by key."""


def plain(section: Section) -> dict[str, Any]:
    """The section's values without their reasons."""
    return {
        key: found.value if isinstance(found, Chosen) else plain(found)
        for key, found in section.items()
    }


def share(part: float, whole: float) -> str:
    """A share for people: `4.2 %`, `no`, and never a false `0 %` or `100 %`."""
    if not part:
        return "none"
    percent = 100 * part / whole
    if percent < 0.1:
        return "less than 0.1 %"
    if 99 < percent < 100:
        return f"{min(percent, 99.9):.1f} %"
    return f"{percent:.1f} %" if percent < 10 else f"{percent:.0f} %"
