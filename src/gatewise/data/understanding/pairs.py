"""Pairs of texts: tables of two texts, two files line by line, translation memories."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gatewise.data.sources import _pair_files, _tables, _tmx
from gatewise.data.sources._layout import SPLIT_NAMES
from gatewise.data.sources._pair_files import SOURCES, TARGETS
from gatewise.data.sources._tables import PACKED, Format
from gatewise.data.understanding import asked, encodings, tables, words
from gatewise.data.understanding.columns import NO_GROUP
from gatewise.data.understanding.profiles import Profile
from gatewise.data.understanding.record import Ambiguous, Certainty, Chosen, Note, Options, Reading
from gatewise.data.understanding.tables import Table
from gatewise.errors import GatewiseError

KIND = "text-pairs"
_OTHER = 4


# --- tables ----------------------------------------------------------------------------------


def of_table(table: Table, splits: Mapping[str, Path], given: Options) -> Chosen:
    """Options of `text-pairs` for one table, or one for each split.

    Args:
        table: one of them.
        splits: files by split; `{"": table}` for one alone.
        given: what the user said.

    Raises:
        Ambiguous: several columns are about as likely to be a side.
        GatewiseError: a column that was named is not there, or there is no second text.
    """
    columns, notes = _columns(table, given, splits_given=len(splits) > 1)
    whole = splits.get("")
    path: Any = str(whole) if whole else {split: str(file) for split, file in splits.items()}
    source = {"kind": KIND, "path": path, "columns": columns, **table.how.options}
    return Chosen(source, (*table.how.notes, *notes), by_table=True, objective="generate")


def _columns(table: Table, given: Options, splits_given: bool) -> tuple[dict[str, str], list[Note]]:
    roles = {
        role: getattr(given, role)
        for role in ("source", "target", "group", "split")
        if getattr(given, role) not in (None, NO_GROUP)
    }
    for role, name in roles.items():
        if name not in table.profiles:
            there = ", ".join(map(repr, table.profiles))
            raise GatewiseError(
                f"{table.path}: --{role}: no column {name!r}; its columns are {there}"
            )
    profiles = [p for name, p in table.profiles.items() if name not in roles.values()]
    notes: list[Note] = []
    if not {"source", "target"} <= roles.keys():
        roles, notes = _sides(table, profiles, roles)
    free = [p for p in profiles if p.name not in roles.values()]
    if "split" not in roles and not splits_given:
        split = next((p for p in free if p.is_splits), None)
        if split is not None and {"train", "test"} <= {
            SPLIT_NAMES[v.casefold()] for v in split.values
        }:
            roles["split"] = split.name
            notes.append(
                Note("split", f"column {split.name!r}: names {', '.join(sorted(split.values))}")
            )
    if "group" not in roles and given.group is None:
        roles, more = _group(free, roles)
        notes += more
    return roles, notes


def _sides(
    table: Table, profiles: Sequence[Profile], roles: dict[str, str]
) -> tuple[dict[str, str], list[Note]]:
    """Which text is given, and which is said to it."""
    found = asked.sides(profiles)
    if len(found) + len(roles.keys() & {"source", "target"}) < 2:
        found = asked.sides(profiles, repeating=True)
    wanted = [role for role in ("source", "target") if role not in roles]
    if len(found) < len(wanted):
        raise GatewiseError(
            f"{table.path}: no two columns of texts; its columns are "
            f"{', '.join(map(repr, table.profiles))}; name them with --source and --target"
        )
    names = [p.name for p in found]
    named: dict[str, str] = {}
    for role, usual in (("source", SOURCES), ("target", TARGETS)):
        name = _usual(names, usual)
        if role in wanted and name is not None and name not in named.values():
            named[role] = name
    left = [name for name in names if name not in named.values()]
    lacking = [role for role in wanted if role not in named]
    if lacking and len(left) > len(lacking):
        options = list(itertools.permutations(left, len(lacking)))[:_OTHER]
        readings = [
            Reading(
                _said({**roles, **named, **dict(zip(lacking, option, strict=True))}),
                {**named, **dict(zip(lacking, option, strict=True))},
            )
            for option in options
        ]
        raise Ambiguous(f"{table.path}: several columns could be a side of the pairs", readings)
    sure = bool(named) or "source" in roles or "target" in roles
    chosen = {**roles, **named, **dict(zip(lacking, left, strict=True))}
    other = f"--source {chosen['target']} --target {chosen['source']}"
    why = "by their names" if sure else "in the order in which they stand"
    note = Note("pairs", f"{_said(chosen)}, {why}", "certain" if sure else "likely", (other,))
    return chosen, [note]


def _usual(names: Sequence[str], usual: Sequence[str]) -> str | None:
    """The column that is called as a side usually is, the clearest name first."""
    plain = {words.plain(name): name for name in reversed(names)}
    several = {f"{name}s": name for name in usual}
    by_name = {several.get(known, known): name for known, name in plain.items()}
    return next((by_name[name] for name in usual if name in by_name), None)


def _said(roles: Mapping[str, str]) -> str:
    return f"{roles['target']!r} is said to {roles['source']!r}"


def _group(free: Sequence[Profile], roles: dict[str, str]) -> tuple[dict[str, str], list[Note]]:
    """A column that is called as groups are, whose values repeat."""
    repeating = [
        p for p in free if p.distinct >= 3 and p.repeats >= 1.2 and not p.missing and not p.odd
    ]
    named = [p for p in repeating if words.means(p.name, words.GROUP)]
    if len(named) == 1:
        said = f"column {named[0].name!r}: by its name; {named[0].distinct} values"
        note = Note("group", said, "likely", (f"--group {NO_GROUP}",))
        return {**roles, "group": named[0].name}, [note]
    said = "no column says what belongs together: equal texts alone are kept in one split"
    others = tuple(f"--group {p.name}" for p in repeating)[:_OTHER]
    return roles, [Note("group", said, "likely", others)]


# --- files -----------------------------------------------------------------------------------


def of_file(path: Path, given: Options) -> Chosen | None:
    """Options for a translation memory, or for a file whose lines another one answers.

    Raises:
        Ambiguous: a memory has several languages.
        GatewiseError: the files cannot be read together.
    """
    if is_memory(path):
        return _memory(path, given)
    if given.targets is not None:
        return _lines({"": (path, Path(given.targets))}, given, "--targets says so", "certain")
    if _tables.is_table(path):
        return None
    stem, side = _parts(path)
    beside = [file for file in sorted(path.parent.iterdir()) if side and _parts(file)[0] == stem]
    others = [file for file in beside if file != path and _parts(file)[1]]
    if len(others) == 1 and _count(path) == _count(others[0]):
        why = "it lies beside, is called alike and has as many lines"
        return _lines({"": (path, others[0])}, given, why, "likely")
    return None


def of_folder(path: Path, files: Sequence[Path], given: Options) -> Chosen | None:
    """Options for a folder of files that answer each other line by line, or of one memory.

    Raises:
        Ambiguous: which of two languages is translated into which does not follow.
        GatewiseError: what the files are does not follow from their names.
    """
    memories = [file for file in files if is_memory(file)]
    if len(memories) == 1:
        return _memory(memories[0], given)
    by_stem: dict[str, dict[str, Path]] = defaultdict(dict)
    for file in files:
        stem, side = _parts(file)
        if side and file.parent == path:
            by_stem[stem][side] = file
    pairs = {stem: them for stem, them in by_stem.items() if len(them) == 2}
    sides = {tuple(sorted(them)) for them in pairs.values()}
    if len(sides) != 1 or any(len(set(map(_count, them.values()))) > 1 for them in pairs.values()):
        return None
    one, other = _direction(path, next(iter(sides)), given)
    both = {split: (them[one], them[other]) for split, them in _by_split(path, pairs).items()}
    return _lines(both, given, f"files of {one} and {other} have as many lines", "likely")


def is_memory(path: Path) -> bool:
    """Whether the name of a file is that of a translation memory."""
    return path.name.lower().removesuffix(PACKED).endswith(_tmx.ENDING)


def _memory(path: Path, given: Options) -> Chosen:
    header, there = _pair_files.there(path)
    firsts = [header] if header in there else there
    ways = [(one, other) for one in firsts for other in there if other != one]
    if given.source is not None or given.target is not None:
        ways = [
            (given.source or one, given.target or other)
            for one, other in ways
            if given.source in (None, one) and given.target in (None, other)
        ] or [(given.source or firsts[0], given.target or firsts[0])]
    if not ways:
        raise GatewiseError(f"{path}: one language alone ({there[0]}), so no pairs")
    one, other = _one_of(path, ways)
    source: dict[str, Any] = {"kind": KIND, "path": str(path), "languages": [one, other]}
    note = Note("pairs", f"a translation memory, from {one} into {other}")
    return Chosen(source, (note,), by_table=True, objective="generate")


def _direction(path: Path, sides: Sequence[str], given: Options) -> tuple[str, str]:
    """Which of two kinds of files is given, and which is said to it."""
    one, other = sides
    ways = [(one, other), (other, one)]
    ways = [way for way in ways if way[0] in SOURCES or way[1] in TARGETS] or ways
    wanted = [
        way for way in ways if given.source in (None, way[0]) and given.target in (None, way[1])
    ]
    if not wanted:
        raise GatewiseError(f"{path}: --source, --target: files of {one} and {other} are here")
    return _one_of(path, wanted)


def _one_of(path: Path, ways: Sequence[tuple[str, str]]) -> tuple[str, str]:
    if len(ways) > 1:
        raise Ambiguous(
            f"{path}: what is translated into what does not follow",
            [
                Reading(f"{one} into {other}", {"source": one, "target": other})
                for one, other in ways[:_OTHER]
            ],
        )
    return ways[0]


def _parts(file: Path) -> tuple[str, str]:
    """The name without the side that its ending says, and that: `corpus`, `en`."""
    stem, _, ending = file.name.lower().removesuffix(PACKED).rpartition(".")
    return (stem, ending) if stem and ending in asked.SIDES else (file.name, "")


def _count(path: Path) -> int:
    """Lines of a file."""
    return sum(1 for _ in _tables.lines(path, encodings.find(path).name))


def _by_split(path: Path, pairs: Mapping[str, dict[str, Path]]) -> dict[str, dict[str, Path]]:
    """Files of each published split; `{"": them}` where there is one pair."""
    if len(pairs) == 1:
        return {"": next(iter(pairs.values()))}
    found: dict[str, dict[str, Path]] = {}
    for stem, them in pairs.items():
        split = tables.split_of(Path(stem))
        if split is None or split in found:
            raise GatewiseError(
                f"{path}: several pairs of files ({', '.join(sorted(pairs))}), and their names say "
                "no splits (train.en, test.en); give one file, and the other with --targets"
            )
        found[split] = them
    if "train" not in found:
        raise GatewiseError(f"{path}: {', '.join(sorted(found))} alone, which leaves no training")
    return found


def _lines(
    files: Mapping[str, tuple[Path, Path]], given: Options, why: str, certainty: Certainty
) -> Chosen:
    """Options for files that answer each other line by line, by their split."""
    source: dict[str, Any] = {"kind": KIND}
    for role, side in (("path", 0), ("targets", 1)):
        named = {split: str(both[side]) for split, both in files.items()}
        source[role] = named.get("", named)
    first, other = next(iter(files.values()))
    notes = [Note("pairs", f"lines of {other.name} answer those of {first.name}: {why}", certainty)]
    encoding = given.encoding
    if encoding is None:
        found = encodings.find(first)
        encoding = found.name
        notes += [found.note] if found.note else []
    source |= {"encoding": encoding} if encoding != Format().encoding else {}
    if "" not in files:
        notes.append(Note("split", f"published, two files each: {', '.join(files)}"))
    return Chosen(source, tuple(notes), by_table=True, objective="generate")
