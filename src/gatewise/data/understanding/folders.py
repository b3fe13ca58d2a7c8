"""Folders of files: where the labels, the published splits and the groups are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gatewise.data.sources import _layout
from gatewise.data.sources._layout import SPLIT_NAMES, Layout, TwoReadings
from gatewise.data.understanding import names, sections
from gatewise.data.understanding.names import NamedRoles, Part
from gatewise.data.understanding.record import Ambiguous, Chosen, Note, Options, Reading
from gatewise.errors import GatewiseError

SPEAKER_HASH = "([^/]+)_nohash_"
"""How Speech Commands writes the speaker into the names of its files."""
HASH_OR_NAME = r"([^/]+?)(?:_nohash_.*|\.[^.]+)$"
"""The same where files of noise without a speaker lie beside."""
LISTS = ("testing_list.txt", "validation_list.txt")
VERSIONS = ("v0.01", "v0.02")
NOISE = "_background_noise_"
NO_GROUP = "none"
"""As `--group`: there is none."""
WHO = {
    "audio-folder": "who spoke, which machine",
    "text-folder": "who wrote, which thread",
    "image-folder": "who took it, of whom",
}
"""What a group is, by the source."""
NAMED = 4
_MOST_READINGS = 4


def speech_commands(path: Path, files: Sequence[Path]) -> Chosen | None:
    """The source of Google's own layout, where its published lists are there.

    Raises:
        GatewiseError: the folder is not called as the reader of the lists expects it.
    """
    if not all(path / name in files for name in LISTS):
        return None
    version = path.name.removeprefix("speech_commands_")
    if version not in VERSIONS or path.resolve().parent.name != "SpeechCommands":
        raise GatewiseError(
            f"{path}: the lists of Speech Commands' published splits are here, and are read where "
            "the folder is called SpeechCommands/speech_commands_v0.01 (or v0.02): rename it, or "
            "make a link of that name"
        )
    root = str(Path(path).parent.parent)
    kind = {"kind": "speech-commands", "version": version, "root": root}
    said = f"Speech Commands {version} with its published lists; every word is a label"
    other = "another protocol (10-words, 12-classes): source.protocol in params.yaml"
    return Chosen({**kind, "protocol": "35-words"}, (Note("split", said, "certain", (other,)),))


def files(path: Path, found: Sequence[str], given: Options, kind: str = "audio-folder") -> Chosen:
    """Options of a source that reads files by their folders and names.

    Args:
        path: the folder.
        found: paths of its files below it, with slashes.
        given: what the user said.
        kind: of the source, `audio-folder`, `text-folder` or `image-folder`.

    Raises:
        Ambiguous: two ways are about as likely.
        GatewiseError: nothing says the labels.
    """
    source: dict[str, Any] = {"kind": kind, "path": str(path)}
    if given.layout is not None or given.pattern is not None:
        source |= {"layout": given.layout} if given.layout else {}
        source |= {"name": given.pattern} if given.pattern else {}
        sections.parse(source)
        notes: list[Note] = [Note("labels", "read as was said")]
    else:
        options, notes = _places(path, found)
        source |= options
    grouped = "group" in _roles(source)
    if given.group not in (None, NO_GROUP):
        source["group"] = given.group
    elif not grouped and given.group is None:
        pattern, note = _group(path, found, source)
        source |= {"group": pattern} if pattern else {}
        notes.append(note)
    return Chosen(source, tuple(notes))


def _roles(source: dict[str, Any]) -> set[str]:
    in_name = {
        role for role in ("label", "group", "split") if f"<{role}>" in source.get("name", "")
    }
    return in_name | set((source.get("layout") or "").split("/"))


# --- folders -------------------------------------------------------------------------------


def _places(path: Path, found: Sequence[str]) -> tuple[dict[str, Any], list[Note]]:
    chains = [name.split("/")[:-1] for name in found]
    outer = {chain[0] if chain else "" for chain in chains}
    if {SPLIT_NAMES.get(name.casefold()) for name in outer} == {"test"}:
        raise GatewiseError(
            f"{path}: a test split alone, which leaves nothing to train on; give the folder above "
            "it, or the training data, and this with --test"
        )
    if all(not chain for chain in chains):
        return _in_names(path, found, {})
    flat_splits = all(len(chain) == 1 for chain in chains) and all(
        name.casefold() in SPLIT_NAMES for name in outer
    )
    if flat_splits:
        return _in_names(path, found, {"layout": "split"} if len(outer) > 1 else {})
    try:
        layout = _layout.guess(path, found)
    except TwoReadings as question:
        return _several(path, found, question)
    meaning = "labels" if layout.roles == ("label",) else str(layout)
    notes = [Note("labels", f"folders are {meaning}: {_labels(layout, found)}")]
    if "split" in layout.roles:
        notes.append(Note("split", f"published: {_parts(layout, found)}"))
    # What `audio-folder` finds for itself is left to it, unless it is more than labels.
    return ({"layout": str(layout)} if layout.roles != ("label",) else {}), notes


def _several(
    path: Path, found: Sequence[str], question: TwoReadings
) -> tuple[dict[str, Any], list[Note]]:
    """Decide between layouts by what the folders are called, or ask."""
    layouts = [Layout.parse(text) for text in question.layouts]
    if len(layouts) == 1:
        readings = [Reading(f"labels {_labels(layouts[0], found)}", {"layout": str(layouts[0])})]
        raise Ambiguous(str(question).split(";")[0], readings)
    outer, inner = layouts
    between = [place for place, role in enumerate(inner.roles) if role == "*"][:1]
    if len(inner.roles) != len(outer.roles) + 1 or not between:
        raise Ambiguous(
            f"{path}: its folders can be read in several ways",
            [Reading(f"labels {_labels(one, found)}", {"layout": str(one)}) for one in layouts],
        )
    above, below = between[0], len(inner.roles) - 1
    levels = [
        Part(level, tuple(name.split("/")[level] for name in found)) for level in (above, below)
    ]
    group_above = _with(inner, above, "group")  # as group/label
    group_below = Layout((*outer.roles, "group"))  # as label/group
    nested = len({(a, b) for a, b in zip(levels[0].values, levels[1].values, strict=True)}) == len(
        levels[1].distinct
    )
    likely: Layout | None = None
    if levels[0].is_id and not levels[1].is_id:
        likely = group_above
    elif levels[1].is_id and not levels[0].is_id:
        likely = group_below
    if likely is not None:
        other = group_below if likely is group_above else group_above
        which = levels[0] if likely is group_above else levels[1]
        labels = _labels(likely, found)
        said = f"folders are {likely}: {labels}; {which.shown} are groups"
        notes = [Note("labels", said, "likely", (f"--layout {other}",))]
        if "split" in likely.roles:
            notes.append(Note("split", f"published: {_parts(likely, found)}"))
        return {"layout": str(likely)}, notes
    ways = [(group_below, levels[0], levels[1]), (group_above, levels[1], levels[0])]
    if not nested:  # every speaker says every word: speakers mostly stand above words
        ways.reverse()
    raise Ambiguous(
        f"{path}: its folders can be read in several ways",
        [
            Reading(f"labels {label.shown}, groups {group.shown}", {"layout": str(layout)})
            for layout, label, group in ways
        ],
    )


def _with(layout: Layout, place: int, role: str) -> Layout:
    return Layout((*layout.roles[:place], role, *layout.roles[place + 1 :]))


def _labels(layout: Layout, found: Sequence[str]) -> str:
    labels = sorted(
        {layout.read(name)["label"] for name in found if name.count("/") >= len(layout.roles)}
    )
    more = f", ... {len(labels)} in all" if len(labels) > NAMED else ""
    return ", ".join(labels[:NAMED]) + more


def _parts(layout: Layout, found: Sequence[str]) -> str:
    place = layout.roles.index("split")
    return ", ".join(sorted({name.split("/")[place] for name in found}))


# --- names ---------------------------------------------------------------------------------


def _in_names(
    path: Path, found: Sequence[str], source: dict[str, Any]
) -> tuple[dict[str, Any], list[Note]]:
    """Labels in the names of files that lie in no folder of a label."""
    ways = names.readings(found)
    if not ways:
        raise GatewiseError(
            f"{path}: files that lie in no label's folder, and no pattern in their names says the "
            f"labels (e.g. {found[0]}); give each label a folder, list the files in a table "
            "(path,label), or give --pattern '(?P<label>...)'"
        )
    if len(ways) > 1:
        readings = [Reading(way.said, {"pattern": way.pattern}) for way in ways[:_MOST_READINGS]]
        raise Ambiguous(f"{path}: names like {found[0]} can be read in several ways", readings)
    return {**source, "name": ways[0].pattern}, [_named(ways[0], found[0])]


def _named(way: NamedRoles, example: str) -> Note:
    said = f"from names like {example}: {way.said}"
    return Note("labels", said, "likely", ("--pattern '(?P<label>...)'",))


def _group(path: Path, found: Sequence[str], source: dict[str, Any]) -> tuple[str | None, Note]:
    """A pattern for the group in names, where the labels are known; and what was decided."""
    words = [name for name in found if NOISE not in name.split("/")]
    if all("_nohash_" in name for name in words):
        pattern = SPEAKER_HASH if len(words) == len(found) else HASH_OR_NAME
        return pattern, Note("group", "the speaker's hash before _nohash_ in each name")
    ways = names.groups(found, labels_of(source, found))
    sure = [way for way in ways if way[1].is_id]
    if source["kind"] != "audio-folder":
        ways = sure  # numbers in the names of texts and images count them, or rate what they show
    if len(sure) == 1 or len(ways) == 1:
        pattern, part = (sure or ways)[0]
        said = f"from names like {found[0].rsplit('/', 1)[-1]}: {part.shown}"
        return pattern, Note("group", said, "likely", (f"--group {NO_GROUP}",))
    if ways:
        readings = [Reading(f"groups {part.shown}", {"group": pattern}) for pattern, part in ways]
        none = Reading("names tell no group", {"group": NO_GROUP})
        raise Ambiguous(
            f"{path}: several parts of names like {found[0]} could be the group",
            [*readings[: _MOST_READINGS - 1], none],
        )
    said = f"nothing names a group ({WHO[source['kind']]}): equal files alone are kept in one split"
    return None, Note("group", said, "likely", ("--group PATTERN",))


def labels_of(source: dict[str, Any], found: Sequence[str]) -> list[str]:
    """Labels of the files as the source reads them; '' where it will refuse to."""
    pattern = source.get("name", "")
    if "<label>" in pattern:
        matches = [re.search(pattern, name.rsplit("/", 1)[-1]) for name in found]
        return [match["label"] if match else "" for match in matches]
    layout = source.get("layout")
    roles = Layout.parse(layout) if layout else _layout.guess(Path(source["path"]), found)
    return [roles.read(name).get("label", "") for name in found]
