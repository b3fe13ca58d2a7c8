"""What can be asked of a table's rows: a label, a text that answers or is heard, or what follows.

Content decides first. A text with a few values that stand again and again has a label; one with
another text that hardly repeats is half of a pair; sounds with such a text are transcripts; numbers
with times are series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gatewise.data.sources._pair_files import SOURCES, TARGETS
from gatewise.data.understanding import time_tables, words
from gatewise.data.understanding.columns import could_be_label
from gatewise.data.understanding.profiles import Profile
from gatewise.data.understanding.record import Ambiguous, Objective, Options, Reading
from gatewise.data.understanding.tables import Table

REPEATED = 0.2
"""Share of different values from which a column of running text may be no label ..."""
HEARD = 0.1
"""... the same beside sounds, where people say the same again."""
IMPLIED: Mapping[Objective, tuple[str, ...]] = {
    "classify": ("label",),
    "generate": ("source", "target", "targets"),
    "forecast": ("time", "value", "id", "horizon", "season"),
}
"""Options that say what is asked."""
SIDES = (*SOURCES, *TARGETS, *words.SPELLED, *words.SPOKEN, *words.LANGUAGES)
"""Usual names of the two sides of pairs."""


def of(table: Table, given: Options) -> Objective:
    """What is asked of a table.

    Raises:
        Ambiguous: two things are about as likely.
    """
    if given.objective is not None:
        return given.objective
    for objective, options in IMPLIED.items():
        if any(getattr(given, option) is not None for option in options):
            return objective
    profiles = list(table.profiles.values())
    if table.sounds is not None:
        return _of_files(table, profiles, SOUNDS)
    if table.images is not None:
        return "generate" if given.text is not None else _of_files(table, profiles, IMAGES)
    if not any(_runs(profile) or _is_side(profile) for profile in profiles):
        return "forecast" if time_tables.fits(table) else "classify"
    return _of_texts(table, profiles)


def sides(profiles: Sequence[Profile], repeating: bool = False) -> list[Profile]:
    """Columns that can be a side of a pair: texts of hardly any repetition, and lists of texts.

    Args:
        profiles: of all columns.
        repeating: whether texts count that repeat, too.
    """
    return [
        p for p in profiles if _is_free(p) or _is_list(p) or (repeating and _repeats(p, REPEATED))
    ]


def transcript(profiles: Sequence[Profile]) -> list[Profile]:
    """Columns that can say what is heard or seen, those with a usual name first."""
    found = [p for p in profiles if not p.is_paths and (_runs(p) or _named_text(p))]
    return sorted(found, key=lambda p: (not words.means(p.name, words.TEXT), -p.share_distinct))


# --- texts -----------------------------------------------------------------------------------


def _of_texts(table: Table, profiles: Sequence[Profile]) -> Objective:
    pairs = sides(profiles)
    longer = [p for p in profiles if _repeats(p, REPEATED) and p not in pairs]
    labels = [p for p in profiles if could_be_label(p) and p not in longer]
    labels = [p for p in labels if not words.means(p.name, words.GROUP)]
    named = [p for p in profiles if words.means(p.name, words.LABEL) and p not in pairs]
    if len(pairs) >= 2 and not named:
        both = [p for p in pairs if _is_side(p)]
        if not labels:
            return "generate"
        if len(both) >= 2:
            raise _question(
                table,
                "its rows may be pairs of texts, or texts with a label",
                (f"{both[1].name!r} is said to {both[0].name!r}", "generate"),
                (f"{labels[0].name!r} is the label", "classify"),
            )
        return "classify"
    if pairs and longer and not labels:
        other = longer[0]
        readings: list[tuple[str, Objective]] = [
            (f"they are {other.distinct} labels", "classify"),
            (f"they are texts, which go with those of {pairs[0].name!r}", "generate"),
        ]
        if _is_side(other):
            readings.reverse()
        raise _question(table, f"column {other.name!r} has long values that repeat", *readings)
    return "classify"


def _runs(profile: Profile) -> bool:
    """Whether most values are of several words, or written without spaces between them."""
    running = profile.spaced + profile.unspaced
    return profile.is_text and running >= profile.filled / 2 and 2 * profile.missing < profile.rows


def _is_side(profile: Profile) -> bool:
    return words.plain(profile.name) in SIDES or profile.name.casefold() in SIDES


def _is_free(profile: Profile) -> bool:
    if not profile.is_text or could_be_label(profile):
        return False
    if words.means(profile.name, words.LABEL) and not _is_side(profile):
        return False
    return _runs(profile) or _is_side(profile)


def _is_list(profile: Profile) -> bool:
    """Whether it holds lists of answers, as JSONL and Parquet can."""
    name = words.plain(profile.name)
    return (
        bool(profile.odd) and profile.odd != "bytes" and (name in TARGETS or name[:-1] in TARGETS)
    )


def _repeats(profile: Profile, least: float) -> bool:
    """Whether running texts repeat, and not so often that they must be labels."""
    return _runs(profile) and could_be_label(profile) and profile.share_distinct >= least


# --- sounds and images -----------------------------------------------------------------------


@dataclass(frozen=True)
class _Files:
    """Files that a table lists with a label or a text each."""

    what: str
    texts: Objective
    """What is asked where they have texts."""
    said: str
    """What the texts are."""


SOUNDS = _Files("sounds", "transcribe", "what is heard")
IMAGES = _Files("images", "generate", "what is said of an image")


def _of_files(table: Table, profiles: Sequence[Profile], files: _Files) -> Objective:
    texts = transcript(profiles)
    free = [p for p in texts if not could_be_label(p)]
    labels = [p for p in profiles if could_be_label(p) and p not in texts]
    labels = [p for p in labels if not words.means(p.name, words.GROUP)]
    if free:
        if not labels:
            return files.texts
        named = [p for p in labels if words.means(p.name, words.LABEL)]
        raise _question(
            table,
            f"its {files.what} have a text and a label",
            (f"{files.said} stands in {free[0].name!r}", files.texts),
            (f"the label is {(named or labels)[0].name!r}", "classify"),
        )
    longer = [p for p in texts if _repeats(p, HEARD)]
    if longer and not labels:
        heard = longer[0]
        raise _question(
            table,
            f"column {heard.name!r} has long values that repeat",
            (f"it is a label of {heard.distinct} values", "classify"),
            (f"it says {files.said}, word for word", files.texts),
        )
    return "classify"


def _named_text(profile: Profile) -> bool:
    return profile.is_text and words.means(profile.name, words.TEXT) and not could_be_label(profile)


def _question(table: Table, about: str, *readings: tuple[str, Objective]) -> Ambiguous:
    choices = [Reading(said, {"objective": objective}) for said, objective in readings]
    return Ambiguous(f"{table.path}: {about}", choices)
