"""Folders of text files: labels, splits and groups by folders and names, and encodings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gatewise.data.sources import text_folder
from gatewise.data.sources.text_folder import Found
from gatewise.data.understanding import encodings, folders
from gatewise.data.understanding.record import Chosen, Note, Options
from gatewise.errors import GatewiseError

KIND = "text-folder"
UNLABELLED = ("unsup", "unlabeled", "unlabelled", "unsupervised")
"""Folders of texts that nobody labelled, as IMDb's reviews have one."""
NAMED = 3


def texts(path: Path, found: Found, given: Options) -> Chosen:
    """Options of `text-folder` that read text files by their folders and names.

    Args:
        path: the folder.
        found: what lies below it.
        given: what the user said.

    Raises:
        Ambiguous: two ways are about as likely.
        GatewiseError: nothing says the labels, or the files are in no encoding that is known.
    """
    if given.layout is not None or given.pattern is not None:
        levels = 0 if given.layout is None else given.layout.count("/") + 1
        found = text_folder.walk(path, levels)
    if not found.texts:
        raise GatewiseError(f"{path}: no text file lies as deep as --layout says")
    names = [file.relative_to(path).as_posix() for file in found.texts]
    chosen = folders.files(path, names, given, KIND)
    source, notes = dict(chosen.source), list(chosen.notes)
    source, more = _encoded(path, names, source, given)
    notes += more
    left = [*found.beside, *found.others]
    if left:
        some = ", ".join(file.relative_to(path).as_posix() for file in left[:NAMED])
        rest = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
        notes.append(Note("path", f"other files are left out: {some}{rest}", "likely"))
    return _without_unlabelled(Chosen(source, tuple(notes)), names, given)


def _encoded(
    path: Path, names: Sequence[str], source: dict[str, Any], given: Options
) -> tuple[dict[str, Any], list[Note]]:
    """The source with the encodings of its files."""
    if given.encoding is not None:
        return {**source, "encoding": given.encoding}, []
    odd = list(text_folder.unlike(path, names, "utf-8"))
    if not odd:
        return source, []
    name = encodings.find(odd[0]).name
    others = [file.relative_to(path).as_posix() for file in odd]
    if name == "cp1252" and any(text_folder.unlike(path, others, name)):
        name = "latin-1"  # which every byte is of
    wrong = next(text_folder.unlike(path, others, name), None)
    if wrong is not None:
        raise GatewiseError(
            f"{wrong}: neither UTF-8 nor {name}, as {odd[0].relative_to(path)} is; save these "
            "files as UTF-8"
        )
    said = f"{len(odd):,} of {len(names):,} files are not UTF-8, e.g. {others[0]}: read as {name}"
    note = Note("encoding", said, "likely", ("--encoding NAME",))
    if len(odd) == len(names):
        return {**source, "encoding": name}, [note]
    return {**source, "fallback": name}, [note]


def _without_unlabelled(chosen: Chosen, names: Sequence[str], given: Options) -> Chosen:
    """Texts that nobody labelled are no class, unless it is the only other one."""
    there = {folder for name in names for folder in name.split("/")[:-1]}
    known = [name for name in UNLABELLED if name in there and name not in given.without]
    if not known or len(set(folders.labels_of(chosen.source, names)) - set(UNLABELLED)) < 2:
        return chosen
    said = f"the folder {known[0]} holds texts without a label: left out"
    note = Note("labels", said, "likely")
    source = {**chosen.source, "without": [*given.without, *known]}
    return replace(chosen, source=source, notes=(*chosen.notes, note))
