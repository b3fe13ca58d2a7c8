"""Tables of texts or of sound files: one, or one for each published split."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from gatewise.data.frontends.decoding import FOREIGN, SUFFIXES
from gatewise.data.sources import _images, _metadata, _sounds, _tables
from gatewise.data.sources._layout import SPLIT_NAMES
from gatewise.data.understanding import formats, profiles
from gatewise.data.understanding.columns import Chooser, Roles
from gatewise.data.understanding.profiles import Profile
from gatewise.data.understanding.record import Chosen, Note, Options
from gatewise.errors import GatewiseError

ODD_ENDINGS = {
    ".json": "one object a line (.jsonl)",
    ".xlsx": "CSV (in the spreadsheet: save as)",
    ".xls": "CSV (in the spreadsheet: save as)",
    ".ods": "CSV (in the spreadsheet: save as)",
    ".feather": "Parquet",
    ".arrow": "Parquet",
    ".pkl": "Parquet (a pickle runs what is in it)",
}
"""Formats that no source reads, and what to save them as."""
QUOTES = "`quoting: none`"
"""In what a reader says of a table whose quotes it cannot take as a part of the format."""
NAMED = 5
LOOKED_FILES = 100_000
"""Files among which one is looked for that lies elsewhere than a table says."""
LOOKED_IMAGES = 20
"""Rows of which some image must be there for a table to be one of images."""
LOOKED_TABLES = 20
"""Tables beside sounds, one of which may list them."""


@dataclass(frozen=True)
class Table:
    """One table that was looked at."""

    path: Path
    how: formats.Written
    profiles: Mapping[str, Profile]
    rows: Sequence[Mapping[str, str]]

    @classmethod
    def look(cls, path: Path, given: Options) -> Table:
        """Look at the format and the first rows.

        Raises:
            Ambiguous: its format can be taken in two ways.
            GatewiseError: it cannot be read.
        """
        how = formats.find(path, given)
        try:
            return cls(path, how, *profiles.of(path, how.how))
        except GatewiseError as error:
            if QUOTES not in str(error) or given.quoting is not None:
                raise
            try:
                table = cls.look(path, replace(given, quoting="none"))
            except GatewiseError:
                raise error from None
            note = quotes_note(error)
            return replace(table, how=replace(table.how, notes=(*table.how.notes, note)))

    @property
    def sounds(self) -> str | None:
        """The column that lists sound files, if there is one."""
        return next((name for name, profile in self.profiles.items() if profile.is_paths), None)

    @property
    def images(self) -> str | None:
        """The column that lists image files which lie where it says, if there is one."""
        listed = [name for name, profile in self.profiles.items() if profile.is_images]
        return next((name for name in listed if self._has_some(name)), None)

    def _has_some(self, column: str) -> bool:
        """Whether files of the first rows are there; texts can have pictures that nobody saved."""
        here = self.path.parent
        some = [row[column] for row in self.rows[:LOOKED_IMAGES] if row[column]]
        return any((here / _sounds.slashed(here, name)).exists() for name in some)


def quotes_note(error: GatewiseError) -> Note:
    """That quotes are taken as ordinary characters, since reading them as more failed."""
    why = re.sub(r"; .*", "", str(error).split(", ", 1)[-1])
    said = f"quotes are ordinary characters: read as a part of the format, {why}"
    return Note("quoting", said, "likely", ("--quoting standard",))


def split_of(path: Path) -> str | None:
    """The split that the name of a file says: `train.csv`, `imdb_test.tsv`, `dev-00000.parquet`."""
    words = re.split(r"[^a-z]+", path.name.lower())
    found = {SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES}
    return found.pop() if len(found) == 1 else None


def as_splits(root: Path, files: Sequence[Path]) -> dict[str, Path]:
    """The file of each published split among the tables of a folder; `{"": file}` for one alone.

    Raises:
        GatewiseError: what they are does not follow from their names.
    """
    if len(files) == 1 and split_of(files[0]) != "test":
        return {"": files[0]}
    by_split: dict[str, list[Path]] = {}
    for file in files:
        by_split.setdefault(split_of(file) or "", []).append(file)
    for split, several in by_split.items():
        if split and len(several) > 1:
            raise GatewiseError(
                f"{root}: {_some(several)} are all of the split {split}; join them into one file"
            )
    named = {split: several[0] for split, several in by_split.items() if split}
    if not named or ("train" not in named and "test" not in named):
        raise GatewiseError(
            f"{root}: several tables ({_some(files)}), and their names say no splits (train.csv, "
            "test.csv); give one of them"
        )
    if "train" not in named:
        raise GatewiseError(
            f"{root}: a test split alone ({named['test'].name}), which leaves nothing to train on; "
            "give the training data, and this with --test"
        )
    return named if len(named) > 1 else {"": named["train"]}


def first(files: Mapping[str, Path], given: Options) -> Table:
    """The table that is looked at of several: the one that trains.

    Raises:
        Ambiguous: its format can be taken in two ways.
        GatewiseError: it cannot be read.
    """
    return Table.look(files.get("", files.get("train", next(iter(files.values())))), given)


def texts(table: Table, files: Mapping[str, Path], given: Options) -> Chosen:
    """Options of the source that reads one table, or one for each split, of texts with labels.

    Args:
        table: the first of them.
        files: by split; `{"": table}` for one alone.
        given: what the user said.

    Raises:
        Ambiguous: two ways to read them are about as likely.
        GatewiseError: they cannot be read, or a role is not filled.
    """
    notes = list(table.how.notes)
    splits, said = usable_splits(files, table)
    notes += said
    chooser = Chooser(table.path, table.profiles, table.rows, given, splits_given=len(splits) > 1)
    roles = chooser.choose()
    notes += roles.notes
    if roles.is_sound:
        if len(splits) > 1:
            raise GatewiseError(
                f"{table.path}: lists sounds, and only texts are read from one table for each "
                "split; join the tables into one with a column split"
            )
        return Chosen(sound_table(table, roles), tuple(notes), by_table=True)
    whole = splits.get("")
    path: Any = str(whole) if whole else {split: str(file) for split, file in splits.items()}
    source = {"kind": "text-file", "path": path, **roles.columns, **table.how.options}
    return Chosen(source, tuple(notes), by_table=True)


def usable_splits(files: Mapping[str, Path], table: Table) -> tuple[dict[str, Path], list[Note]]:
    """The files that can serve as splits: of the same columns, and a test split among them."""
    if "" in files:
        return dict(files), []
    kept, notes = dict(files), []
    expected = set(table.profiles)
    for split, file in files.items():
        there = set(_tables.header(file, table.how.how))
        if split == "test" and there < expected and len(there) < len(expected):
            lacking = ", ".join(map(repr, sorted(expected - there)))
            notes.append(
                Note(
                    "split",
                    f"{file.name} has no column {lacking} (published without labels?): it "
                    "is left out",
                    "likely",
                )
            )
            del kept[split]
        elif not expected & there:
            raise GatewiseError(
                f"{file}: has none of the columns of {table.path.name} ("
                f"{', '.join(map(repr, sorted(expected)[:NAMED]))}); give files of the same columns"
            )
    if "test" not in kept and "validation" in kept:
        file = kept.pop("validation")
        kept["test"] = file
        said = f"{file.name} serves as the test split; validation is cut from the training examples"
        notes.append(Note("split", said, "likely", (f"the training file alone: {files['train']}",)))
    if set(kept) == {"train"}:
        return {"": kept["train"]}, notes
    said = ", ".join(f"{split} {file.name}" for split, file in kept.items())
    notes.append(Note("split", f"published, a file each: {said}"))
    order = [split for split in ("train", "validation", "test") if split in kept]
    return {split: kept[split] for split in order}, notes


def sound_table(table: Table, roles: Roles) -> dict[str, Any]:
    """Options of `audio-folder` for a table of sound files.

    Raises:
        GatewiseError: the files are not where the table says.
    """
    name = roles.columns["path"]
    first = next((row[name] for row in table.rows if row[name]), "")
    here = table.path.parent
    if not any((here / way).exists() for way in (first, first.replace("\\", "/"))):
        base = PurePosixPath(first.replace("\\", "/")).name
        near = itertools.islice(here.rglob("*"), LOOKED_FILES)
        found = next((file for file in near if file.name == base), None)
        where = (
            f"; it lies in {found.parent}: put the table where its paths lead from there"
            if found
            else "; paths in a table are taken from the table's own folder"
        )
        raise GatewiseError(f"{table.path}: lists {first!r}, and there is no such file{where}")
    columns = {role: column for role, column in roles.columns.items() if role != column}
    source = {"kind": "audio-folder", "path": str(table.path), **table.how.options}
    return source | ({"columns": columns} if columns else {})


def metadata(root: Path, table_path: Path, given: Options, splits_given: bool) -> Chosen:
    """Options of `audio-folder` for a folder with a `metadata` table as Hugging Face has it.

    Args:
        root: the folder.
        table_path: one of its tables.
        given: what the user said.
        splits_given: whether folders name the splits.

    Raises:
        Ambiguous: two columns could be the label.
        GatewiseError: it cannot be read.
    """
    table = Table.look(table_path, given)
    if _metadata.FILE_NAME not in table.profiles:
        raise GatewiseError(
            f"{table_path}: no column {_metadata.FILE_NAME}, which such a table needs; its columns "
            f"are {', '.join(table.profiles)}"
        )
    wanted = replace(given, text=_metadata.FILE_NAME)
    profile = table.profiles[_metadata.FILE_NAME]
    if not profile.is_paths:
        raise GatewiseError(
            f"{table_path}: its column file_name names no sound files ({', '.join(SUFFIXES[:5])}, "
            "...)"
        )
    roles = Chooser(table_path, table.profiles, table.rows, wanted, splits_given).choose()
    columns = {r: c for r, c in roles.columns.items() if r not in ("path", c)}
    source: dict[str, Any] = {"kind": "audio-folder", "path": str(root), **table.how.options}
    source |= {"columns": columns} if columns else {}
    said = f"{table_path.relative_to(root)} lists the sounds"
    notes = (Note("path", said), *table.how.notes, *roles.notes)
    return Chosen(source, notes, by_table=True)


def listing(files: Sequence[Path], given: Options) -> Table | None:
    """The table among `files` that lists sounds, if there is one.

    Raises:
        GatewiseError: several do.
    """
    found = []
    nearest = sorted(files, key=lambda file: len(file.parts))[:LOOKED_TABLES]
    for file in nearest:
        try:
            table = Table.look(file, given)
        except GatewiseError:
            continue  # no table that could be meant; it is left out and named
        if table.sounds is not None:
            found.append(table)
    if len(found) > 1:
        raise GatewiseError(
            f"{found[0].path.parent}: {_some([table.path for table in found])} all list sounds; "
            "give the one that counts"
        )
    return found[0] if found else None


def refuse_odd(path: Path) -> None:
    """Refuse a file that no source reads, with what to save it as.

    Raises:
        GatewiseError: always, but for a table.
    """
    if _tables.is_table(path):
        return
    ending = path.suffix.lower()
    if ending in ODD_ENDINGS:
        raise GatewiseError(f"{path}: {ending} is not read; save it as {ODD_ENDINGS[ending]}")
    if ending in (*SUFFIXES, *FOREIGN):
        raise GatewiseError(
            f"{path}: one sound; give the folder with the sounds of all labels, or a table of them"
        )
    if _images.is_image(path):
        raise GatewiseError(
            f"{path}: one image; give the folder with the images of all labels, or a table of them"
        )
    if ending in (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar"):
        raise GatewiseError(f"{path}: an archive; unpack it and give the folder or file within")
    raise GatewiseError(
        f"{path}: neither a folder nor a table ({', '.join(_tables.SUFFIXES)}); give a text file "
        "with one text and label a line as .csv or .tsv"
    )


def _some(files: Sequence[Path]) -> str:
    more = f", ... {len(files)} in all" if len(files) > NAMED else ""
    return ", ".join(file.name for file in files[:NAMED]) + more
