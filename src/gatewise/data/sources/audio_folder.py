"""Your own sound files: one folder per label, or a table that lists them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import SourceCard
from gatewise.config import SPLITS
from gatewise.data.frontends.decoding import SUFFIXES
from gatewise.data.sources import _labels, _layout, _metadata, _sounds, _splits, _tables
from gatewise.data.sources._named import NamedFiles
from gatewise.data.sources._sounds import Found, Sound
from gatewise.data.sources._tables import Format
from gatewise.errors import GatewiseError


class Source(NamedFiles):
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

    def reads(self) -> list[Path]:
        """The folders or tables, and the files that tables list."""
        paths = list(self.parts().values())
        tables = [path for path in paths if path.is_file()]
        return [*paths, *(path.parent / one.path for path in tables for one in self._table(path))]

    def look(self) -> None:
        """Refuse early what `fetch` would refuse of folders and columns; decodes nothing.

        Raises:
            GatewiseError: as `fetch` does.
        """
        for path in self.parts().values():
            self._look_at(path)

    def _look_at(self, path: Path) -> None:
        if not path.is_dir():
            self._table(path)
            return
        found = _sounds.walk(path)
        if tables := self._metadata_tables(path, found):
            self._by_metadata(path, tables)
        else:
            self.by_name(path, self._names(path, found), say=False)

    def listed(self) -> tuple[Path, list[Sound], dict[str, int]]:
        """The folder that the sounds' paths are below, the sounds, and what was left out, counted.

        Raises:
            GatewiseError: there are none, or nothing says which label one has.
        """
        parts = {split: self._at(path) for split, path in self.parts().items()}
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
            return self.by_name(path, self._names(path, found)), skipped
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
            group = row.get("group", self.group_of(name))
            sounds.append(Sound(name, row["label"], group, row.get("split", ""), str(path)))
        return sounds


def _allowed() -> str:
    return ", ".join(SPLITS)
