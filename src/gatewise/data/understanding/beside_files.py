"""Columns of a table that lists files: what is said of each file, and what belongs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gatewise.data.understanding import asked, words
from gatewise.data.understanding.columns import NO_GROUP
from gatewise.data.understanding.profiles import Profile
from gatewise.data.understanding.record import Ambiguous, Note, Reading
from gatewise.data.understanding.tables import Table
from gatewise.errors import GatewiseError

OTHER = 4
"""Most columns that are named as other readings."""


def text(table: Table, what: str, noted: str, or_else: str = "") -> tuple[str, list[Note]]:
    """The column of the texts, found by what it holds.

    Args:
        table: that lists the files.
        what: the texts say, "what is heard", where a person is asked or refused.
        noted: the same in the note of what was understood.
        or_else: what could be named instead of a text.

    Raises:
        Ambiguous: several columns could be it.
        GatewiseError: none can.
    """
    profiles = list(table.profiles.values())
    found = asked.transcript(profiles) or [
        p for p in profiles if p.is_text and words.means(p.name, words.TEXT)
    ]
    if not found:
        raise GatewiseError(
            f"{table.path}: no column says {what}; its columns are {names(table.profiles)}; "
            f"name it with --text{or_else}"
        )
    named = [p for p in found if words.means(p.name, words.TEXT)]
    if len(found) > 1 and len(named) != 1:
        raise Ambiguous(
            f"{table.path}: several columns could say {what}",
            [Reading(f"{p.name!r} does", {"text": p.name}) for p in found[:OTHER]],
        )
    mean = found[0].characters / found[0].filled
    said = f"column {found[0].name!r} says {noted}, {mean:.0f} characters on average"
    others = tuple(f"--text {p.name}" for p in found[1:OTHER])
    return found[0].name, [Note("text", said, "likely" if others else "certain", others)]


def group(free: Sequence[Profile], what: str) -> tuple[dict[str, str], Note]:
    """The column of the group, where one is called so and its values repeat.

    Args:
        free: columns that nothing else is read from.
        what: such a column would say, "who speaks".
    """
    repeating = [p for p in free if p.distinct >= 3 and p.repeats >= 1.2 and not p.missing]
    named = [p for p in repeating if words.means(p.name, words.GROUP)]
    if len(named) == 1:
        said = f"column {named[0].name!r}: by its name; {named[0].distinct} values"
        return {"group": named[0].name}, Note("group", said, "likely", (f"--group {NO_GROUP}",))
    others = tuple(f"--group {p.name}" for p in repeating)[:OTHER]
    said = f"no column says {what}: equal files alone are kept in one split"
    return {}, Note("group", said, "likely", others)


def names(profiles: Mapping[str, Profile]) -> str:
    """Of all columns, as a refusal lists them."""
    return ", ".join(map(repr, profiles))
