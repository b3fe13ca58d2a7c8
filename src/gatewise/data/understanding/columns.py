"""Which column of a table is the text, the label, the group and the split, by what they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatewise.config import suggest
from gatewise.data.sources._layout import SPLIT_NAMES
from gatewise.data.understanding import words
from gatewise.data.understanding.profiles import Profile
from gatewise.data.understanding.record import Ambiguous, Note, Options, Reading
from gatewise.data.understanding.refusals import MOST_LABELS
from gatewise.errors import GatewiseError

MOST_COLUMNS = 100
"""Beyond these nobody could check what was chosen: text and label must be named."""
NO_GROUP = "none"
"""As `--group`: there is none."""
NAMED = 6  # columns that a sentence names
RIVAL = 0.5
"""Of the readability of the best column, from which another might as well be the text."""
_OTHER = 4  # readings that a question offers


@dataclass(frozen=True)
class Roles:
    """Columns by role, and what was decided about them."""

    columns: dict[str, str]
    notes: tuple[Note, ...]

    @property
    def is_sound(self) -> bool:
        """Whether the table lists sound files."""
        return "path" in self.columns


class Chooser:
    """Chooses the columns of one table."""

    def __init__(
        self,
        origin: Path,
        profiles: Mapping[str, Profile],
        rows: Sequence[Mapping[str, str]],
        given: Options,
        splits_given: bool = False,
    ) -> None:
        """Begin.

        Args:
            origin: the table, for messages.
            profiles: of its columns.
            rows: its first rows, as text.
            given: what the user said.
            splits_given: whether files are the splits already.
        """
        self.origin = origin
        self.profiles = profiles
        self.rows = rows
        self.given = given
        self.splits_given = splits_given
        self.roles: dict[str, str] = {}
        self.notes: list[Note] = []

    def choose(self) -> Roles:
        """The roles.

        Raises:
            Ambiguous: two columns are about as likely to have a role.
            GatewiseError: a role is not filled, or a column that was named is not there.
        """
        self._named()
        if len(self.profiles) > MOST_COLUMNS and not {"text", "path"} & self.roles.keys():
            raise GatewiseError(
                f"{self.origin}: {len(self.profiles):,} columns, too many to guess from; name "
                "those that count with --text and --label"
            )
        self._paths()
        self._splits()
        if "path" not in self.roles:
            self._text()
        self._label()
        self._group()
        return Roles(dict(self.roles), tuple(self.notes))

    # --- what was said ---------------------------------------------------------------------

    def _named(self) -> None:
        for role in ("text", "label", "group", "split"):
            name = getattr(self.given, role)
            if name is None or (role == "group" and name == NO_GROUP and name not in self.profiles):
                continue
            if name not in self.profiles:
                raise GatewiseError(
                    f"{self.origin}: --{role}: no column {name!r}{suggest(name, self.profiles)}"
                )
            sounds = role == "text" and self.profiles[name].is_paths
            self.roles["path" if sounds else role] = name

    def _free(self) -> list[Profile]:
        taken = set(self.roles.values())
        return [p for name, p in self.profiles.items() if name not in taken and not p.odd]

    def _note(self, role: str, name: str, why: str, others: Sequence[str], sure: bool) -> None:
        self.roles[role] = name
        otherwise = tuple(f"--{role} {other}" for other in others)
        certainty = "certain" if sure and not others else "likely"
        self.notes.append(Note(role, f"column {name!r}: {why}", certainty, otherwise))  # type: ignore[arg-type]

    # --- sounds and splits -----------------------------------------------------------------

    def _paths(self) -> None:
        if "text" in self.roles or "path" in self.roles:
            return
        found = [p.name for p in self._free() if p.is_paths]
        if not found:
            return
        if len(found) > 1:
            named = [name for name in found if words.means(name, words.PATH)]
            if len(named) != 1:
                readings = [
                    Reading(f"the sounds are in {n!r}", {"text": n}) for n in found[:_OTHER]
                ]
                raise Ambiguous(f"{self.origin}: several columns list sound files", readings)
            found = [named[0], *(name for name in found if name != named[0])]
        self.roles["path"] = found[0]
        said = f"column {found[0]!r}: its values are names of sound files"
        self.notes.append(Note("path", said, "certain"))

    def _splits(self) -> None:
        if "split" in self.roles or self.splits_given:
            return
        found = [p for p in self._free() if p.is_splits]
        if not found:
            return
        profile = max(found, key=lambda p: words.means(p.name, words.SPLIT))
        there = {SPLIT_NAMES[value.casefold()] for value in profile.values}
        if there == {"test"}:
            raise GatewiseError(
                f"{self.origin}: a test split alone (column {profile.name!r}), which leaves "
                "nothing to train on; give the training data, and this with --test"
            )
        if not {"train", "test"} <= there:
            lacking = " and ".join(sorted({"train", "test"} - there))
            said = (
                f"column {profile.name!r} names {' and '.join(sorted(there))} but no {lacking}: it "
                "is left out, and splits are cut here"
            )
            self.notes.append(Note("split", said, "likely"))
            return
        self._note("split", profile.name, f"names {', '.join(sorted(profile.values))}", (), True)

    # --- text ------------------------------------------------------------------------------

    def _text(self) -> None:
        if "text" in self.roles:
            return
        found = sorted((p for p in self._free() if p.is_text), key=lambda p: -p.readable)
        found = [p for p in found if p.readable > 0.5 and p.share_distinct > 0.1]
        if not found:
            self._no_text()
        best, rivals = found[0], [p for p in found[1:] if p.readable >= RIVAL * found[0].readable]
        named = [p for p in (best, *rivals) if words.means(p.name, words.TEXT)]
        if rivals and len(named) == 1:
            rivals = [p for p in (best, *rivals) if p is not named[0]]
            best = named[0]
        elif rivals:
            readings = [
                Reading(f"the text is {p.name!r}, e.g. {_example(p)}", {"text": p.name})
                for p in (best, *rivals)[:_OTHER]
            ]
            raise Ambiguous(f"{self.origin}: several columns could be the text", readings)
        mean = best.characters / best.filled
        others = [p.name for p in found if p is not best][:NAMED]
        why = f"{mean:.0f} characters on average, {best.share_distinct:.0%} of its values differ"
        self._note("text", best.name, why, others, True)

    def _no_text(self) -> None:
        odd = [p.name for p in self.profiles.values() if p.odd]
        if odd and all(p.odd or not p.is_text for p in self.profiles.values()):
            held = self.profiles[odd[0]].odd
            raise GatewiseError(
                f"{self.origin}: no column of text; {odd[0]!r} holds {held} (sounds within Parquet "
                "are read by the source hub)"
            )
        numeric = all(p.is_numeric for p in self.profiles.values() if p.filled)
        what = "numbers alone, which are no sequences" if numeric else "nothing that reads like one"
        raise GatewiseError(
            f"{self.origin}: no column of text ({what}); its columns are "
            f"{_some(list(self.profiles))}; name it with --text if one is"
        )

    # --- label -----------------------------------------------------------------------------

    def _label(self) -> None:
        if "label" in self.roles:
            self._refuse_measure(self.profiles[self.roles["label"]])
            return
        candidates = [p for p in self._free() if could_be_label(p)]
        if not candidates:
            self._no_label()
        candidates = self._without_twins(candidates)
        named = [p for p in candidates if words.means(p.name, words.LABEL)]
        grouping = [p for p in candidates if words.means(p.name, words.GROUP)]
        measure = [p for p in self._free() if p.is_measure and words.means(p.name, words.LABEL)]
        if measure and not named:
            self._refuse_measure(measure[0])
        if len(named) > 1:  # `label` beside `type`: the word itself goes first
            first = [
                p for p in named if words.plain(p.name) in ("label", "class", "category", "intent")
            ]
            named = first if len(first) == 1 else named
        left = [p for p in candidates if p not in grouping] or candidates
        if len(named) != 1 and len(left) > 1:
            likeliest = sorted(named or left, key=lambda p: p.distinct)
            readings = [
                Reading(f"the label is {p.name!r} ({_values(p)})", {"label": p.name})
                for p in likeliest[:_OTHER]
            ]
            raise Ambiguous(f"{self.origin}: several columns could be the label", readings)
        best = named[0] if len(named) == 1 else left[0]
        others = [p.name for p in left if p is not best][:NAMED]
        why = f"{best.distinct} values, each {best.repeats:.0f} times on average"
        self._note("label", best.name, why, others, True)

    def _no_label(self) -> None:
        free = self._free()
        for profile in free:
            if words.means(profile.name, words.LABEL) or len(free) == 1:
                if words.means(profile.name, words.LABEL) or profile.fractions:
                    self._refuse_measure(profile)
                if profile.distinct == 1:
                    only = next(iter(profile.values))
                    raise GatewiseError(
                        f"{self.origin}: one label ({only!r}, column {profile.name!r}) leaves "
                        "nothing to tell apart"
                    )
                if profile.distinct > MOST_LABELS:
                    raise GatewiseError(
                        f"{self.origin}: column {profile.name!r} has {profile.distinct:,} "
                        f"different values in {profile.filled:,} rows, which are no labels (at "
                        f"most {MOST_LABELS:,} are taken); name another with --label"
                    )
        for profile in free:
            if profile.fractions:
                self._refuse_measure(profile)
        raise GatewiseError(
            f"{self.origin}: no column of labels: none of "
            f"{_some([p.name for p in free]) or 'the rest'} has a few values that stand there "
            "again and again; name it with --label if one is"
        )

    def _refuse_measure(self, profile: Profile) -> None:
        if profile.is_measure:
            some = ", ".join(list(profile.values)[:3])
            raise GatewiseError(
                f"{self.origin}: column {profile.name!r} holds quantities ({some}, ...), and "
                "labels are what is told apart; cut it into classes, or name another with --label"
            )

    def _without_twins(self, candidates: list[Profile]) -> list[Profile]:
        """Of columns that say the same (number and name of a class) the one that people read."""
        kept: list[Profile] = []
        for profile in sorted(candidates, key=lambda p: (p.is_numeric, p.characters == 0)):
            twin = next((p for p in kept if self._one_to_one(p.name, profile.name)), None)
            if twin is None:
                kept.append(profile)
            else:
                said = f"column {profile.name!r} says the same as {twin.name!r}"
                self.notes.append(Note("label", said, "certain"))
        return kept

    def _one_to_one(self, one: str, other: str) -> bool:
        return self._decides(one, other) and self._decides(other, one)

    def _decides(self, one: str, other: str) -> bool:
        """Whether equal values in one column always have equal values in the other."""
        seen: dict[str, str] = {}
        return all(seen.setdefault(row[one], row[other]) == row[other] for row in self.rows)

    # --- group -----------------------------------------------------------------------------

    def _group(self) -> None:
        if "group" in self.roles or self.given.group == NO_GROUP:
            return
        label = self.roles["label"]
        candidates = [
            p
            for p in self._free()
            if p.distinct >= 3
            and p.repeats >= 1.2
            and not p.missing
            and not p.is_splits
            and not p.is_measure
            and not self._decides(label, p.name)
        ]
        named = [p for p in candidates if words.means(p.name, words.GROUP)]
        if len(named) == 1:
            why = f"by its name; {named[0].distinct} values"
            self._note("group", named[0].name, why, [NO_GROUP], False)
            return
        if named:
            readings = [
                Reading(f"groups are {p.name!r} ({p.distinct} of them)", {"group": p.name})
                for p in sorted(named, key=lambda p: p.distinct)[:_OTHER]
            ]
            raise Ambiguous(
                f"{self.origin}: several columns could say what belongs together", readings
            )
        many = 3 * self.profiles[label].distinct
        like = [
            p for p in candidates if p.distinct >= max(10, many) and _like_ids(p) and p.repeats >= 2
        ]
        if like:
            best = max(like, key=lambda p: p.distinct)
            readings = [
                Reading(
                    f"{best.name!r} ({_values(best)}) says who or what an example is of, which "
                    "must not be trained on and tested",
                    {"group": best.name},
                ),
                Reading("it does not matter", {"group": NO_GROUP}),
            ]
            raise Ambiguous(f"{self.origin}: a column may be a group", readings)
        others = tuple(f"--group {p.name}" for p in candidates if p.distinct >= 3)[:NAMED]
        said = "no column says what belongs together: equal contents alone are kept in one split"
        self.notes.append(Note("group", said, "likely", others))


def could_be_label(profile: Profile) -> bool:
    """Whether a few values stand there again and again."""
    if profile.is_measure or profile.is_paths or profile.is_images or profile.is_splits:
        return False
    if profile.missing > profile.rows / 2:
        return False
    named = words.means(profile.name, words.LABEL)
    if profile.is_numeric and profile.distinct > 20 and not named:
        return False
    return 2 <= profile.distinct <= min(MOST_LABELS, max(2, profile.filled / 2))


def _like_ids(profile: Profile) -> bool:
    """Whether values look like those of persons or things: with digits, or begun by a capital.

    Plain numbers are counts as often as ids, and dates are none: those go by their names.
    """
    if profile.is_numeric or profile.dates > profile.filled / 2:
        return False
    some = list(profile.values)[:100]
    ids = sum(any(map(str.isdigit, value)) or value[:1].isupper() for value in some)
    return ids >= 0.9 * len(some)


def _example(profile: Profile) -> str:
    value = next(iter(profile.values))
    return repr(value if len(value) <= 30 else f"{value[:27]}...")


def _values(profile: Profile) -> str:
    some = [value for value, _ in profile.values.most_common(3)]
    more = f", ... {profile.distinct} in all" if profile.distinct > 3 else ""
    return ", ".join(some) + more


def _some(names: Sequence[str]) -> str:
    more = f", ... {len(names)} in all" if len(names) > NAMED else ""
    return ", ".join(map(repr, names[:NAMED])) + more
