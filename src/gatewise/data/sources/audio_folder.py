"""Your own sound files: one folder per label, or a table that lists them."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import SourceCard
from gatewise.config import SPLITS, SourceOptions
from gatewise.data.frontends.decoding import SUFFIXES
from gatewise.data.sources import _labels, _layout, _metadata, _sounds, _splits, _tables
from gatewise.data.sources._layout import Layout
from gatewise.data.sources._sounds import Found, Sound
from gatewise.data.sources._tables import Format
from gatewise.errors import GatewiseError

ROLES = ("label", "group", "split")


class Source(SourceOptions):
    """Sound files that libsndfile reads (wav, flac, ogg, opus, mp3, aiff, ...), used in place.

    Any rate and length, mono or stereo. `path` is a folder with one subfolder per label (below
    folders `train`, `validation`, `test` where splits are published), a folder with a
    `metadata.csv` (or `.jsonl`, `.parquet`) as Hugging Face has it, or a CSV (also `.csv.gz`), TSV,
    JSONL or Parquet table with the columns `path, label` and optionally `group` and `split`; paths
    in it are relative to the table.
    """

    card: ClassVar[SourceCard] = SourceCard(
        payload="audio", title="Sound files", licence="your own data"
    )
    size: ClassVar[str] = "whatever you have"
    needs: ClassVar[str] = "a folder of sound files"

    kind: Literal["audio-folder"]
    path: str | dict[Literal["train", "validation", "test"], str]
    """Folder, or table; or one for each published split, all read alike."""
    layout: str | None = None
    """What the levels of folders are, the outermost first: `label`, `split`, `group` or `*`
    (nothing) with slashes between, e.g. `group/label`. Left out: guessed where there is one way
    to read them, and refused with both readings where there are two."""
    name: str | None = None
    """Regular expression with the named brackets `label`, `group` or `split`, looked for in each
    file's name, e.g. `(?P<label>[^_]+)_(?P<group>[^_]+)_`. Goes before folders."""
    group: str | None = None
    """Regular expression whose first bracket finds the group (the speaker) in a file's path
    below the folder, e.g. `([^/]+)_nohash_`. Without it, and without a column `group`, files
    of equal bytes form a group."""
    columns: dict[Literal["path", "label", "group", "split"], str] = Field(default_factory=dict)
    """Names of a table's columns where they are others than `path`, `label`, `group`, `split`."""
    delimiter: str | None = None
    """Of a table; left out: a comma, in TSV a tab."""
    quoting: Literal["standard", "none"] | None = None
    """`none` takes quotes in a table as ordinary characters; left out: `none` in TSV, and
    `standard` in CSV with a look for rows that a quote has swallowed."""
    header: bool = True
    """Whether a table's first line names the columns; if not, they are called 1, 2, ..."""
    encoding: str = "utf-8"
    """Of a table."""
    without: tuple[str, ...] = ()
    """Labels whose sounds are left out."""
    title: str = "Sound files"
    """What the data are, for people."""
    synthetic: bool = False
    """Whether the sounds were made by a machine."""
    licence: str = "your own data"

    @field_validator("group")
    @classmethod
    def _bracket(cls, value: str | None) -> str | None:
        if value is not None and _compiled(value).groups < 1:
            raise ValueError(f"{value!r} has no bracket that captures the group")
        return value

    @field_validator("name")
    @classmethod
    def _named_brackets(cls, value: str | None) -> str | None:
        if value is not None:
            named = set(_compiled(value).groupindex)
            if not named or not named <= set(ROLES):
                raise ValueError(
                    f"{value!r} needs named brackets, (?P<label>...), of {', '.join(ROLES)}"
                )
        return value

    @field_validator("layout")
    @classmethod
    def _roles(cls, value: str | None) -> str | None:
        if value is not None:
            Layout.parse(value)
        return value

    def _parts(self) -> dict[str, Path]:
        """What `path` names, by split; under '' where it is one for all."""
        named = {"": self.path} if isinstance(self.path, str) else self.path
        return {str(split): Path(path) for split, path in named.items()}

    def reads(self) -> list[Path]:
        """The folders or tables, and the files that tables list."""
        paths = list(self._parts().values())
        tables = [path for path in paths if path.is_file()]
        return [*paths, *(path.parent / one.path for path in tables for one in self._table(path))]

    def look(self) -> None:
        """Refuse early what `fetch` would refuse of folders and columns; decodes nothing.

        Raises:
            GatewiseError: as `fetch` does.
        """
        for path in self._parts().values():
            self._look_at(path)

    def _look_at(self, path: Path) -> None:
        if not path.is_dir():
            self._table(path)
            return
        found = _sounds.walk(path)
        if tables := self._metadata_tables(path, found):
            self._by_metadata(path, tables)
        else:
            self._by_name(path, self._names(path, found), say=False)

    def listed(self) -> tuple[Path, list[Sound], dict[str, int]]:
        """The folder that the sounds' paths are below, the sounds, and what was left out, counted.

        Raises:
            GatewiseError: there are none, or nothing says which label one has.
        """
        parts = {split: self._at(path) for split, path in self._parts().items()}
        root, sounds, skipped = parts[""] if "" in parts else _splits.joined(parts)
        return root, list(_labels.without(sounds, self.without, self.title)), skipped

    def _at(self, path: Path) -> tuple[Path, list[Sound], dict[str, int]]:
        """As `listed`, of one folder or table."""
        if path.is_dir():
            return path, *self._folder(path)
        return path.parent, self._table(path), {}

    def fetch(self, target: Path) -> None:
        """List the files into `target`."""
        root, sounds, skipped = self.listed()
        card = self.card.model_copy(
            update={
                "title": self.title,
                "synthetic": self.synthetic,
                "licence": self.licence,
                "root": str(root),
                "skipped": skipped,
            }
        )
        origin = self.path if isinstance(self.path, str) else self.title
        manifest.write(target, card, _sounds.examples(root, _labels.cleaned(sounds, origin)))

    # --- folders ---------------------------------------------------------------------------

    def _folder(self, path: Path) -> tuple[list[Sound], dict[str, int]]:
        found = _sounds.walk(path)
        tables = self._metadata_tables(path, found)
        found.warn(path, tables)
        skipped = found.skipped(tables)
        if not tables:
            return self._by_name(path, self._names(path, found)), skipped
        sounds = self._by_metadata(path, tables)
        names = {sound.path for sound in sounds}
        unlisted = [f for f in found.sounds if f.relative_to(path).as_posix() not in names]
        if unlisted:
            skipped[f"not listed in {tables[0].name}"] = len(unlisted)
            print(
                f"warning: {path}: {len(unlisted)} sounds are not listed in "
                f"{tables[0].name}, e.g. {unlisted[0].relative_to(path)}",
                file=sys.stderr,
            )
        return sounds, skipped

    def _metadata_tables(self, path: Path, found: Found) -> list[Path]:
        """Tables that tell the labels; `layout` and `name` go before them."""
        if self.layout is not None or self.name is not None:
            return []
        return _metadata.tables(path, found.others)

    def _names(self, path: Path, found: Found) -> list[str]:
        if not found.sounds:
            raise GatewiseError(f"{path}: no sound files ({', '.join(SUFFIXES)}) in its subfolders")
        return [file.relative_to(path).as_posix() for file in found.sounds]

    def _by_name(self, path: Path, names: list[str], *, say: bool = True) -> list[Sound]:
        in_names = _compiled(self.name).groupindex if self.name is not None else {}
        layout = Layout.parse(self.layout) if self.layout is not None else None
        if layout is None and "label" not in in_names:
            layout = _layout.guess(path, names)
        if "label" not in {*in_names, *(layout.roles if layout else ())}:
            raise GatewiseError(f"{path}: neither layout nor name says where the labels are")
        facts = [
            (layout.read(name) if layout is not None else {}) | self._in_name(name)
            for name in names
        ]
        if say and layout is not None and (self.layout or layout.roles != ("label",)):
            print(_layout.understood(path, layout, facts), file=sys.stderr)
        return [
            Sound(name, fact["label"], fact.get("group", self._group(name)), fact.get("split", ""))
            for name, fact in zip(names, facts, strict=True)
        ]

    def _in_name(self, name: str) -> dict[str, str]:
        if self.name is None:
            return {}
        base = PurePosixPath(name).name
        match = re.search(self.name, base)
        facts = match.groupdict() if match else {}
        if not facts or not all(facts.values()):
            raise GatewiseError(f"{name}: the pattern {self.name!r} does not fit its name")
        if "split" in facts:
            split = _layout.SPLIT_NAMES.get(facts["split"].casefold())
            if split is None:
                raise GatewiseError(f"{name}: {facts['split']!r} in its name is no split")
            facts["split"] = split
        return facts

    # --- tables ----------------------------------------------------------------------------

    def _by_metadata(self, root: Path, tables: list[Path]) -> list[Sound]:
        """The sounds that `metadata` tables list, with paths below `root`."""
        names = {"path": _metadata.FILE_NAME} | {str(k): v for k, v in self.columns.items()}
        sounds = [
            replace(sound, path=_metadata.below(root, table, sound.path), listed_in=str(table))
            for table in tables
            for sound in self._listed(table, names)
        ]
        if any(sound.split for sound in sounds):  # a column says it
            return sounds
        splits = _metadata.splits(root, [sound.path for sound in sounds])
        return [replace(sound, split=split) for sound, split in zip(sounds, splits, strict=True)]

    def _table(self, path: Path) -> list[Sound]:
        if not path.exists():
            raise GatewiseError(f"{path}: no such folder or table")
        _sounds.require_file(path)
        return self._listed(path, {str(role): name for role, name in self.columns.items()})

    def _listed(self, path: Path, names: dict[str, str]) -> list[Sound]:
        how = Format.of(self)
        there = _tables.header(path, how)
        columns = {role: names.get(role, role) for role in ("path", "label")}
        columns |= {
            role: names.get(role, role)
            for role in ("group", "split")
            if role in names or role in there
        }
        sounds = []
        for number, row in enumerate(_tables.read(path, columns, how), 1):
            name = _sounds.slashed(path.parent, row["path"])
            where = f"{path}, row {number}"
            if "split" in row:
                row["split"] = _layout.split(row["split"])
            if row.get("split", "") not in ("", *SPLITS):
                raise GatewiseError(f"{where}: split {row['split']!r}; allowed: {_allowed()}")
            for role in ("path", "label", "group"):
                if not row.get(role, "-").strip():
                    raise GatewiseError(f"{where}: column {columns[role]!r} is empty")
            group = row.get("group", self._group(name))
            sounds.append(Sound(name, row["label"], group, row.get("split", ""), str(path)))
        return sounds

    def _group(self, name: str) -> str | None:
        if self.group is None:
            return None
        match = re.search(self.group, name)
        if match is None or not match[1]:
            raise GatewiseError(f"{name}: the pattern {self.group!r} finds no group in it")
        return match[1]


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None


def _allowed() -> str:
    return ", ".join(SPLITS)
