"""Your own sound files: one folder per label, or a table that lists them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import field_validator

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import SourceCard
from gatewise.config import SPLITS, SourceOptions
from gatewise.data.sources import _sounds, _tables
from gatewise.data.sources._sounds import Sound
from gatewise.errors import GatewiseError


class Source(SourceOptions):
    """wav, flac, ogg or mp3 files of any rate and length, mono or stereo, used in place.

    `path` is a folder with one subfolder per label, or a CSV, TSV, JSONL or Parquet table with
    the columns `path, label` and optionally `group` and `split` (`train`, `validation`,
    `test`); paths in it are relative to the table.
    """

    card: ClassVar[SourceCard] = SourceCard(
        payload="audio", title="Sound files", licence="your own data"
    )
    size: ClassVar[str] = "whatever you have"
    needs: ClassVar[str] = "a folder of sound files"

    kind: Literal["audio-folder"]
    path: str
    """Folder, or table."""
    group: str | None = None
    """Regular expression whose first bracket finds the group (the speaker) in a file's path
    below the folder, e.g. `([^/]+)_nohash_`. Without it, and without a column `group`, files
    of equal bytes form a group."""
    title: str = "Sound files"
    """What the data are, for people."""
    synthetic: bool = False
    """Whether the sounds were made by a machine."""
    licence: str = "your own data"

    @field_validator("group")
    @classmethod
    def _bracket(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                brackets = re.compile(value).groups
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from None
            if brackets < 1:
                raise ValueError(f"{value!r} has no bracket that captures the group")
        return value

    def fetch(self, target: Path) -> None:
        """List the files into `target`."""
        path = Path(self.path)
        if path.is_dir():
            root, sounds = path, self._folder(path)
        else:
            root, sounds = path.parent, self._table(path)
        card = self.card.model_copy(
            update={
                "title": self.title,
                "synthetic": self.synthetic,
                "licence": self.licence,
                "root": str(root),
            }
        )
        manifest.write(target, card, _sounds.examples(root, sounds))

    def _folder(self, path: Path) -> list[Sound]:
        sounds = []
        for file in _sounds.walk(path):
            name = file.relative_to(path).as_posix()
            if "/" not in name:
                raise GatewiseError(
                    f"{file}: lies in no label's folder; give each label a folder, or list "
                    "the files in a table with the columns path and label"
                )
            sounds.append(Sound(name, name.split("/")[0], self._group(name)))
        if not sounds:
            suffixes = ", ".join(_sounds.SUFFIXES)
            raise GatewiseError(f"{path}: no sound files ({suffixes}) in its subfolders")
        return sounds

    def _table(self, path: Path) -> list[Sound]:
        if not path.is_file():
            raise GatewiseError(f"{path}: no such folder or table")
        optional = [name for name in ("group", "split") if name in _tables.header(path)]
        sounds = []
        for number, row in enumerate(_tables.read(path, ["path", "label", *optional]), 1):
            name = row.pop("path")
            if row.get("split", "") not in ("", *SPLITS):
                raise GatewiseError(
                    f"{path}, row {number}: split {row['split']!r}; allowed: {', '.join(SPLITS)}"
                )
            for column in ("label", "group"):
                if row.get(column) == "":
                    raise GatewiseError(f"{path}, row {number}: column {column!r} is empty")
            group = self._group(name)
            sounds.append(Sound(name, row["label"], row.get("group", group), row.get("split", "")))
        return sounds

    def _group(self, name: str) -> str | None:
        if self.group is None:
            return None
        match = re.search(self.group, name)
        if match is None or not match[1]:
            raise GatewiseError(f"{name}: the pattern {self.group!r} finds no group in it")
        return match[1]
