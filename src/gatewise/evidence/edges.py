"""Chosen settings at the edge of what was tried, and the range to try instead."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from gatewise.artifacts.tuned import Choice
from gatewise.artifacts.tuning_summary import Edge
from gatewise.config.tuning import Range, Space, TuningConfig, show, show_tried

STEPS = (0.25, 0.1)
"""How far a range is widened at one end, in parts of itself: as far as the setting allows."""


def edges(variant: str, space: Space, choice: Choice) -> Iterator[Edge]:
    """The settings of `choice` that lie at an edge of the space beyond which there is more.

    A dropout of 0 lies at the edge of what is possible, which no range can widen.
    """
    for setting in choice.at_edge:
        tried, value = space[setting], choice.settings[setting]
        if isinstance(tried, Range) and isinstance(value, int | float):
            wider = widened(setting, tried, value)
            if wider is not None:
                yield Edge(variant=variant, setting=setting, value=value, range=tried, wider=wider)


def widened(setting: str, tried: Range, value: float) -> Range | None:
    """`tried` drawn out at the end near `value`; `None` where the setting allows no more."""
    low_end = tried.position(value) < 0.5
    for step in STEPS:
        place = -step if low_end else 1 + step
        end = float(f"{tried.at(place):.2g}")
        ends = (min(end, value), tried.high) if low_end else (tried.low, max(end, value))
        try:
            wider = Range(low=ends[0], high=ends[1], scale=tried.scale)
            TuningConfig(space={setting: wider})
        except ValidationError:
            continue
        if (wider.low, wider.high) != (tried.low, tried.high):
            return wider
    return None


def warning(found: Edge) -> str:
    """In a sentence, with the range to try."""
    return (
        f"{found.variant}: the chosen {found.setting} {show(found.value)} lies at the edge of "
        f"{show_tried(found.range)}, so the best may lie beyond; try "
        f"{{low: {show(found.wider.low)}, high: {show(found.wider.high)}}}."
    )
