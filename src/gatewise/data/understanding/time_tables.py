"""Tables of series: which column is the time, which the values, and whether series are columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gatewise.artifacts.manifest import Raw
from gatewise.data.preparation import series
from gatewise.data.preparation.series import Cut
from gatewise.data.sources import _series
from gatewise.data.understanding import words
from gatewise.data.understanding.profiles import MOSTLY, Profile
from gatewise.data.understanding.record import (
    Ambiguous,
    Certainty,
    Chosen,
    Note,
    Options,
    Reading,
    Steps,
)
from gatewise.data.understanding.tables import Table
from gatewise.errors import GatewiseError

SAME_TIME = 1.5
"""Rows a time from which a row is one value of one series."""
SEASONS = {
    ("month", 1): 12,
    ("quarter", 1): 4,
    ("week", 1): 52,
    ("day", 1): 7,
    ("hour", 1): 24,
    ("minute", 1): 60,
    ("month", 3): 4,
    ("minute", 15): 96,
    ("minute", 30): 48,
}
"""Steps of a season by the unit and number of one step."""
USUAL_HORIZON = 6
"""Where there is no season to forecast."""
LEAST_SEASONS = 3
"""Seasons that a series needs for one to be told from the rest."""
_OTHER = 4


def fits(table: Table) -> bool:
    """Whether a table reads like series: one column of times, and numbers."""
    profiles = list(table.profiles.values())
    times = _times(table)
    values = [p for p in profiles if p.is_numeric and p not in times]
    if not times or not values:
        return False
    others = [p for p in profiles if p not in times and p not in values and p.filled]
    return not others or any(_is_long(times[0], p) for p in others)


def chosen(table: Table, given: Options) -> Chosen:
    """Options of the source that reads a table as series.

    Raises:
        Ambiguous: several columns are about as likely to have a role.
        GatewiseError: there is no time or no value.
    """
    profiles = table.profiles
    for option in ("id", "time", "value"):
        name = getattr(given, option)
        if name is not None and name not in profiles:
            raise GatewiseError(
                f"{table.path}: --{option}: no column {name!r}; its columns are "
                f"{', '.join(map(repr, profiles))}"
            )
    time, notes = _time(table, given)
    source: dict[str, Any] = {"kind": "series", "path": str(table.path)}
    others = [p for name, p in profiles.items() if name != time.name]
    ids = [p for p in others if _is_long(time, p) and p.name != given.value]
    if given.id is not None or (ids and (given.value is not None or _repeated(time))):
        columns, more = _long(table, time, others, ids, given)
    else:
        columns, more = _wide(table, time, others)
    said = (*table.how.notes, *notes, *more)
    return Chosen(
        {**source, **columns, "time": time.name, **table.how.options},
        said,
        by_table=True,
        objective="forecast",
    )


def steps(table: Table, source: dict[str, Any], lengths: np.ndarray, given: Options) -> Steps:
    """Step, season and horizon of series.

    Args:
        table: that they come from.
        source: the section that reads it.
        lengths: of the series.
        given: what the user said.
    """
    unit, count = _step(table, source)
    usual = float(np.median(lengths))
    season = given.season or SEASONS.get((unit, count), 1)
    if given.season is None and usual < LEAST_SEASONS * season:
        season = 1
    horizon = given.horizon or _horizon(season, usual)
    return Steps(unit if count == 1 else f"{count} {unit}s", season, horizon)


def unusable(raw: Raw, found: Steps) -> dict[str, int]:
    """Series that preparation refuses, by reason."""
    cut = Cut(history=1, stride=1, horizon=found.horizon, season=found.season)
    values = series.read(raw)
    ends = raw.manifest["n_samples"].cumsum()
    reasons: Counter[str] = Counter()
    for end, length in zip(ends, raw.manifest["n_samples"], strict=True):
        why = cut.problem(np.asarray(values[end - length : end]))
        if why is not None:
            # Figures differ from series to series; the reason is what counts.
            reasons[
                re.sub(r"^(value) \d+", r"a \1", re.sub(r"^\d+ values?; ", "too short: ", why))
            ] += 1
    return dict(reasons)


def _horizon(season: int, usual: float) -> int:
    """A season, as far as that leaves most of a series to learn from."""
    wanted = season if season > 1 else USUAL_HORIZON
    return max(1, min(wanted, int((usual - 2 * season) / 4)))


# --- columns ---------------------------------------------------------------------------------


def _times(table: Table) -> list[Profile]:
    """Columns of times, those with a usual name first."""
    found = [p for p in table.profiles.values() if _is_time(p)]
    return sorted(found, key=lambda p: not words.means(p.name, words.TIME))


def _is_time(profile: Profile) -> bool:
    if not profile.filled or profile.missing or profile.odd:
        return False
    if profile.dates >= MOSTLY * profile.filled:
        return True
    return words.means(profile.name, words.TIME) and _readable(profile.values)


def _readable(values: Iterable[str]) -> bool:
    """Whether the source can read values as times."""
    try:
        _series.step("", [*values])
    except GatewiseError:
        return False
    return True


def _repeated(time: Profile) -> bool:
    return time.filled >= SAME_TIME * time.distinct


def _is_long(time: Profile, profile: Profile) -> bool:
    """Whether a column may name the series of a long table."""
    if profile.missing or not profile.filled or profile.fractions:
        return False
    if not _repeated(time):
        return profile.distinct == 1 and not profile.is_numeric
    return profile.distinct <= profile.filled / 2 and not profile.is_measure


def _time(table: Table, given: Options) -> tuple[Profile, list[Note]]:
    if given.time is not None:
        return table.profiles[given.time], []
    found = _times(table)
    if not found:
        raise GatewiseError(
            f"{table.path}: no column of times (dates, or whole numbers that count steps under a "
            "name like time or month); name it with --time"
        )
    named = [p for p in found if words.means(p.name, words.TIME)]
    if len(found) > 1 and len(named) != 1:
        raise Ambiguous(
            f"{table.path}: several columns hold times",
            [Reading(f"the time is {p.name!r}", {"time": p.name}) for p in found[:_OTHER]],
        )
    said = f"column {found[0].name!r}: {found[0].distinct:,} times"
    others = tuple(f"--time {p.name}" for p in found[1:_OTHER])
    return found[0], [Note("time", said, "likely" if others else "certain", others)]


def _wide(
    table: Table, time: Profile, others: Sequence[Profile]
) -> tuple[dict[str, Any], list[Note]]:
    """A column for each series."""
    odd = [p.name for p in others if not p.is_numeric]
    if odd or not others:
        raise GatewiseError(
            f"{table.path}: column {odd[0]!r} holds no numbers, and no column names series that "
            "share their times; leave it out, or name those that count with --id and --value"
            if odd
            else f"{table.path}: no column beside {time.name!r}, so no series"
        )
    names = ", ".join(repr(p.name) for p in others[:3]) + (", ..." if len(others) > 3 else "")
    said = f"wide: a row a time, and {len(others)} series in columns ({names})"
    certainty: Certainty = "likely" if len(others) > 1 else "certain"
    return {"layout": "wide"}, [Note("series", said, certainty)]


def _long(
    table: Table,
    time: Profile,
    others: Sequence[Profile],
    ids: Sequence[Profile],
    given: Options,
) -> tuple[dict[str, Any], list[Note]]:
    """A value in each row."""
    name = given.id or _id(table, time, ids)
    left = [p for p in others if p.name != name and p.is_numeric and p not in ids]
    left = left or [p for p in others if p.name != name and p.is_numeric]
    value = given.value or _value(table, left)
    said = f"long: a row a value ({value!r}), {table.profiles[name].distinct:,} series by {name!r}"
    other = tuple(f"--value {p.name}" for p in left if p.name != value)[:_OTHER]
    return {"id": name, "value": value}, [
        Note("series", said, "likely" if other else "certain", other)
    ]


def _id(table: Table, time: Profile, ids: Sequence[Profile]) -> str:
    """The column that tells values of one time apart."""
    fitting = [p for p in ids if _tells_apart(table, time.name, p.name)]
    if not fitting:
        raise GatewiseError(
            f"{table.path}: no single column tells the series apart that have values at the same "
            f"{time.name!r}; join those that do into one, and name it with --id"
        )
    named = [p for p in fitting if words.means(p.name, (*words.SERIES, *words.GROUP))]
    if len(fitting) > 1 and len(named) != 1:
        raise Ambiguous(
            f"{table.path}: several columns could name the series",
            [
                Reading(f"{p.name!r} does ({p.distinct} of them)", {"id": p.name})
                for p in (named or fitting)[:_OTHER]
            ],
        )
    return (named or fitting)[0].name


def _tells_apart(table: Table, time: str, name: str) -> bool:
    return len({(row[time], row[name]) for row in table.rows}) == len(table.rows)


def _value(table: Table, left: Sequence[Profile]) -> str:
    named = [p for p in left if words.means(p.name, words.VALUE)]
    if not left:
        raise GatewiseError(f"{table.path}: no column of numbers; name the values with --value")
    if len(left) > 1 and len(named) != 1:
        raise Ambiguous(
            f"{table.path}: several columns could be the values",
            [
                Reading(f"{p.name!r} is forecast", {"value": p.name})
                for p in (named or left)[:_OTHER]
            ],
        )
    return (named or left)[0].name


# --- steps -----------------------------------------------------------------------------------


def _step(table: Table, source: dict[str, Any]) -> tuple[str, int]:
    """Unit and number of the step of the first series."""
    name = source.get("id")
    first = table.rows[0][name] if name else None
    times = [row[source["time"]] for row in table.rows if name is None or row[name] == first]
    return _series.step("", times)
