"""Labels and groups in the names of sound files: the patterns that fit all of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from gatewise.data.understanding.refusals import MOST_LABELS

SEPARATORS = "_- ."
FEWEST_GROUPS = 3
_SHOWN = 3  # values that a sentence names


@dataclass(frozen=True)
class Part:
    """What stands in one place of every file's name."""

    place: int
    """From the left, 0 the first."""
    values: tuple[str, ...]
    """Of each file, `(files,)`."""

    @property
    def distinct(self) -> list[str]:
        """Different values, in order."""
        return sorted(set(self.values), key=lambda value: (len(value), value))

    @property
    def is_number(self) -> bool:
        """Whether all of them are whole numbers."""
        return all(value.isascii() and value.isdigit() for value in self.distinct)

    @property
    def is_id(self) -> bool:
        """Whether values look like numbered persons or things: `s01`, `p225`, `03`."""
        distinct = self.distinct
        heads = {value.rstrip("0123456789") for value in distinct}
        if len(heads) != 1 or heads & set(distinct):
            return False
        padded = {len(value) for value in distinct}
        return bool(heads != {""}) or (len(padded) == 1 and padded != {1} and distinct[0][0] == "0")

    @property
    def repeats(self) -> bool:
        """Whether values stand there again and again."""
        return 2 <= len(set(self.values)) <= len(self.values) / 2

    @property
    def shown(self) -> str:
        """Some values, for people."""
        distinct = self.distinct
        more = f", ... {len(distinct)} in all" if len(distinct) > _SHOWN else ""
        return ", ".join(distinct[:_SHOWN]) + more


@dataclass(frozen=True)
class Names:
    """How the names of files are put together."""

    separator: str
    parts: tuple[Part, ...]

    @property
    def counter(self) -> int | None:
        """Place of what merely counts takes: whole numbers at the end."""
        last = self.parts[-1]
        return last.place if last.is_number else None

    def pattern(self, roles: dict[int, str]) -> str:
        """A regular expression with named brackets for the places in `roles`."""
        other = f"[^{re.escape(self.separator)}]+"
        between = re.escape(self.separator)
        last = max(roles)
        pieces = [
            f"(?P<{roles[place]}>{other if place < len(self.parts) - 1 else _ENDING})"
            if place in roles
            else other
            for place in range(last + 1)
        ]
        after = between if last < len(self.parts) - 1 else r"\.[^.]+$"
        return f"^{between.join(pieces)}{after}"

    def group_pattern(self, place: int) -> str:
        """A regular expression for a path, whose first bracket finds what stands at `place`."""
        other = f"[^/{re.escape(self.separator)}]+"
        between = re.escape(self.separator)
        found = other if place < len(self.parts) - 1 else r"[^/]+?"
        pieces = [*[other] * place, f"({found})"]
        after = between + "[^/]*$" if place < len(self.parts) - 1 else r"\.[^./]+$"
        return f"(?:^|/){between.join(pieces)}{after}"


_ENDING = ".+?"


def parts(names: Sequence[str]) -> Names | None:
    """How file names are put together; nothing where not all are put together alike.

    Args:
        names: paths; folders and endings do not count.
    """
    stems = [PurePosixPath(name).stem for name in names]
    for separator in SEPARATORS:
        rows = [stem.split(separator) for stem in stems]
        widths = {len(row) for row in rows}
        if len(widths) == 1 and widths != {1} and all(all(row) for row in rows):
            columns = zip(*rows, strict=True)
            found = tuple(Part(place, tuple(column)) for place, column in enumerate(columns))
            return Names(separator, found)
    return None


@dataclass(frozen=True)
class NamedRoles:
    """One way to read labels and perhaps groups from names."""

    pattern: str
    label: Part
    group: Part | None

    @property
    def said(self) -> str:
        """In words."""
        group = f", groups {self.group.shown}" if self.group else ""
        return f"labels {self.label.shown}{group}"


def readings(names: Sequence[str]) -> list[NamedRoles]:
    """Ways to read labels from the names of files, the likeliest first.

    People write the label first, then who or what it was, then the take; numbered persons
    (`s01`) are no labels where something else could be.
    """
    found = parts(names)
    if found is None:
        return _leading_letters(names)
    places = [p for p in found.parts if p.repeats and len(p.distinct) <= MOST_LABELS]
    labels = [p for p in places if p.place != found.counter] or places
    labels = [p for p in labels if not p.is_id] or labels
    ways = []
    for label in labels:
        others = [p for p in places if p not in (label,) and p.place != found.counter]
        others = [p for p in others if len(p.distinct) >= FEWEST_GROUPS]
        group = next((p for p in others if p.is_id), others[0] if others else None)
        roles = {label.place: "label"} | ({group.place: "group"} if group else {})
        ways.append(NamedRoles(found.pattern(roles), label, group))
    return ways


def _leading_letters(names: Sequence[str]) -> list[NamedRoles]:
    """Labels that run into a number: `up12.wav`."""
    pattern = r"^(?P<label>[^\W\d_]+)"
    found = [re.search(pattern, PurePosixPath(name).name) for name in names]
    if not all(found):
        return []
    part = Part(0, tuple(match["label"] for match in found if match))
    if not part.repeats or len(part.distinct) > MOST_LABELS:
        return []
    return [NamedRoles(pattern, part, None)]


def groups(names: Sequence[str], labels: Sequence[str]) -> list[tuple[str, Part]]:
    """Patterns that find a group in paths whose labels are known, with what they find.

    A group has examples of several labels, as a speaker has who said several words; what follows
    from the label is none, and numbers at the end count takes.

    Args:
        names: paths below the folder, `(files,)`.
        labels: of the files, `(files,)`.
    """
    found = parts(names)
    if found is None:
        return []
    fitting = []
    for part in found.parts:
        if part.place == found.counter or not part.repeats or len(part.distinct) < FEWEST_GROUPS:
            continue
        by_value: dict[str, set[str]] = defaultdict(set)
        for value, label in zip(part.values, labels, strict=True):
            by_value[value].add(label)
        crossing = sum(len(seen) > 1 for seen in by_value.values())
        if crossing >= len(by_value) / 2:
            fitting.append((found.group_pattern(part.place), part))
    return sorted(fitting, key=lambda one: not one[1].is_id)
