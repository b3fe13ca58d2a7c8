"""Transcripts: sounds with a text each, in a table, in LJSpeech's folder or in Hugging Face's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gatewise.data.sources import _metadata
from gatewise.data.sources.transcripts import METADATA, WAVES
from gatewise.data.understanding import asked, beside_files, tables
from gatewise.data.understanding.columns import NO_GROUP, Roles
from gatewise.data.understanding.record import Chosen, Note, Options
from gatewise.data.understanding.tables import Table
from gatewise.errors import GatewiseError

KIND = "transcripts"


def of_table(table: Table, given: Options) -> Chosen:
    """Options of `transcripts` for a table of sounds.

    Raises:
        Ambiguous: several columns could say what is heard.
        GatewiseError: none does, or the sounds are not where the table says.
    """
    sounds = table.sounds
    if sounds is None:
        raise GatewiseError(
            f"{table.path}: no column lists sound files, so nothing is heard to be transcribed"
        )
    columns: dict[str, str] = {"path": sounds}
    columns["text"], notes = _text(table, given)
    free = [p for p in table.profiles.values() if p.name not in columns.values()]
    for role in ("group", "split"):
        name = getattr(given, role)
        if name is not None and name != NO_GROUP:
            if name not in table.profiles:
                raise GatewiseError(f"{table.path}: --{role}: no column {name!r}")
            columns[role] = name
    if "split" not in columns:
        split = next((p for p in free if p.is_splits and p.name == "split"), None)
        columns |= {"split": split.name} if split else {}
    if "group" not in columns and given.group is None:
        more, note = beside_files.group(free, "who speaks")
        columns |= more
        notes.append(note)
    tables.sound_table(table, Roles(columns, ()))  # refuses files that lie elsewhere
    source: dict[str, Any] = {"kind": KIND, "path": str(table.path), "columns": columns}
    return Chosen(
        {**source, **table.how.options},
        (*table.how.notes, *notes),
        by_table=True,
        objective="transcribe",
    )


def of_folder(path: Path, files: Sequence[Path], given: Options) -> Chosen | None:
    """Options for LJSpeech's folder, or one with a table of Hugging Face's that has texts.

    Raises:
        Ambiguous: sounds have a text and a label.
        GatewiseError: the table cannot be read.
    """
    if given.objective == "classify" or given.label is not None:
        return None
    if is_ljspeech(path):
        said = f"{METADATA} beside {WAVES}/, as LJSpeech has it: the normalised text is taken"
        source = {"kind": KIND, "path": str(path)}
        return Chosen(source, (Note("text", said),), by_table=True, objective="transcribe")
    metadata = _metadata.tables(path, files)
    if len(metadata) != 1 or metadata[0].parent != path:
        return None
    looked = Table.look(metadata[0], given)
    if _metadata.FILE_NAME not in looked.profiles or asked.of(looked, given) != "transcribe":
        return None
    return of_table(looked, given)


def is_ljspeech(path: Path) -> bool:
    """Whether a folder has sounds beside a table whose lines have two or three fields with bars."""
    table = path / METADATA
    if not (table.is_file() and (path / WAVES).is_dir()):
        return False
    with table.open("rb") as file:
        return file.readline(1 << 16).count(b"|") in (1, 2)


def _text(table: Table, given: Options) -> tuple[str, list[Note]]:
    """The column that says what is heard."""
    if given.text is not None:
        if given.text not in table.profiles:
            raise GatewiseError(f"{table.path}: --text: no column {given.text!r}")
        return given.text, []
    return beside_files.text(table, "what is heard", "what is heard")
