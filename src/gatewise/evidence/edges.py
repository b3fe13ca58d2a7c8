"""Chosen values at the edge of what was tried, and the range to try instead.

With few trials one of them always lies near an edge, so that choosing it says little by itself. It
is named where the best may really lie beyond: nothing farther out was tried (a point there that
scored less, or diverged, has the best between them), and resampled seeds and validation groups
mostly choose it again, so that it is better than what lies further in by more than noise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pydantic import ValidationError

from gatewise.artifacts.tuned import Choice
from gatewise.artifacts.tuning_summary import Edge
from gatewise.config.tuning import Range, Space, TuningConfig, integral, show, show_tried

BY_CHANCE = 0.25
"""Share of resamples that choose another trial, above which the choice itself is mostly noise."""
WIDTHS = (0.25, 0.1)
"""How far a range is drawn out beyond its edge, in widths of it: as far as the setting allows."""


def edges(variant: str, space: Space, choices: Iterable[Choice]) -> list[Edge]:
    """Settings of a variant's choices at an edge of the space beyond which there is more.

    Where seeds choose for themselves, an edge is named once, with the value farthest out.
    """
    found: dict[tuple[str, bool], Edge] = {}
    for choice in choices:
        for edge in _edges(variant, space, choice):
            place = edge.range.position(edge.value)
            key = edge.setting, place < 0.5
            if key not in found or abs(place - 0.5) > abs(
                edge.range.position(found[key].value) - 0.5
            ):
                found[key] = edge
    return list(found.values())


def warnings(task: str, at_edge: Iterable[Edge]) -> list[str]:
    """A sentence for each setting that a task's variants have chosen at the same edge."""
    together: dict[tuple[str, bool], list[Edge]] = {}
    for edge in at_edge:
        key = edge.setting, edge.wider.low < edge.range.low
        together.setdefault(key, []).append(edge)
    return [_warning(task, same) for same in together.values()]


def _edges(variant: str, space: Space, choice: Choice) -> Iterator[Edge]:
    for setting in choice.at_edge:
        tried, value = space[setting], choice.settings[setting]
        if isinstance(tried, Range) and isinstance(value, int | float):
            wider = widened(setting, tried, value)
            if wider is not None and _rises(choice, setting, tried):
                yield Edge(variant=variant, setting=setting, value=value, range=tried, wider=wider)


def _rises(choice: Choice, setting: str, tried: Range) -> bool:
    """Whether the score still rises, beyond noise, at the value that was chosen."""
    chance = choice.chance_of_another
    if chance is not None and chance > BY_CHANCE:
        return False
    values = [trial.settings.get(setting) for trial in choice.trials if trial.status != "skipped"]
    places = [tried.position(value) for value in values if isinstance(value, int | float)]
    chosen = tried.position(float(choice.settings[setting]))
    return chosen <= min(places) if chosen < 0.5 else chosen >= max(places)


def widened(setting: str, tried: Range, value: float) -> Range | None:
    """`tried` drawn out by a quarter at the end near `value`, in its own scale.

    By less where the setting allows no more, and `None` where it allows nothing: a dropout of 0
    lies at the edge of what is possible.
    """
    downwards = tried.position(value) < 0.5
    for width in WIDTHS:
        place = -width if downwards else 1 + width
        end = _round(setting, tried.at(place))
        low, high = (min(end, value), tried.high) if downwards else (tried.low, max(end, value))
        if (low, high) == (tried.low, tried.high):
            continue
        try:
            wider = Range(low=low, high=high, scale=tried.scale)
            TuningConfig(space={setting: wider})
        except ValidationError:
            continue
        return wider
    return None


def _round(setting: str, value: float) -> float:
    return float(round(value)) if integral(setting) else float(f"{value:.2g}")


def _warning(task: str, same: Sequence[Edge]) -> str:
    first = same[0]
    by: dict[str, list[str]] = {}
    for edge in same:
        by.setdefault(show(edge.value), []).append(edge.variant)
    chosen = ", ".join(f"{value} by {' and '.join(names)}" for value, names in by.items())
    low, high = min(edge.wider.low for edge in same), max(edge.wider.high for edge in same)
    return (
        f"{task}: {first.setting} was chosen at the edge of {show_tried(first.range)}: {chosen}. "
        "The best may lie beyond; widen tuning.space: "
        f"{first.setting}: {{low: {show(low)}, high: {show(high)}}}."
    )
