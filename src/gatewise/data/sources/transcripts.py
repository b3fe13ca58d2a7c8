"""Your own sounds with a text each: a table, LJSpeech's folder, or Hugging Face's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from pydantic import Field

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import SourceCard
from gatewise.config import SPLITS, SourceOptions
from gatewise.data.sources import _labels, _sounds, _tables
from gatewise.data.sources._sounds import Sound
from gatewise.data.sources._tables import Format
from gatewise.errors import GatewiseError

METADATA = "metadata.csv"
WAVES = "wavs"
"""Where LJSpeech has its sounds, beside a `metadata.csv` of `id|text|normalised text`."""
TEXTS = ("text", "transcription", "transcript", "sentence")
"""Columns of a text, of which a table has one."""
PATHS = ("path", "file_name", "audio", "file")
"""Columns of a sound's path."""
LJSPEECH = Format(delimiter="|", quoting="none", header=False)


class Source(SourceOptions):
    """Sound files, used in place, with what is said in them.

    `path` is a CSV, TSV, JSONL or Parquet table (each but Parquet also `.gz`) of paths and texts, a
    folder with a `metadata.csv` as Hugging Face has it, or one as LJSpeech has it (`wavs/` beside a
    `metadata.csv` with bars; the normalised text is taken).
    """

    objective: ClassVar[Mapping[str, Any]] = MappingProxyType({"kind": "transcribe"})
    card: ClassVar[SourceCard] = SourceCard(
        payload="audio", title="Sounds with texts", licence="your own data"
    )
    size: ClassVar[str] = "whatever you have"
    needs: ClassVar[str] = "sound files and a table of their texts"

    kind: Literal["transcripts"]
    path: str
    """Table, or folder with a `metadata.csv`."""
    columns: dict[Literal["path", "text", "group", "split"], str] = Field(default_factory=dict)
    """Names of a table's columns where they are others than the usual ones."""
    lowercase: bool = True
    """Whether texts are taken in lower case."""
    delimiter: str | None = None
    """Of a table; left out: a comma, in TSV a tab."""
    quoting: Literal["standard", "none"] | None = None
    """As for `text-file`."""
    header: bool = True
    """Whether a table's first line names the columns; if not, they are called 1, 2, ..."""
    encoding: str = "utf-8"
    title: str = "Sounds with texts"
    """What the data are, for people."""
    synthetic: bool = False
    """Whether the sounds were made by a machine."""
    licence: str = "your own data"

    def reads(self) -> list[Path]:
        """The table and the files that it lists."""
        path = Path(self.path)
        if not path.exists():
            return [path]
        return [path, *(self._root() / sound.path for sound in self._sounds())]

    def look(self) -> None:
        """Refuse early what `fetch` would refuse of the table.

        Raises:
            GatewiseError: as `fetch` does.
        """
        next(self._sounds())

    def fetch(self, target: Path) -> None:
        """List the files with their texts into `target`."""
        root, sounds = self._root(), list(self._sounds())
        told = {"title": self.title, "synthetic": self.synthetic, "licence": self.licence}
        card = self.card.model_copy(update={**told, "root": str(root)})
        manifest.write(target, card, _sounds.examples(root, sounds))

    def _root(self) -> Path:
        path = Path(self.path)
        return path if path.is_dir() else path.parent

    def _table(self) -> Path:
        path = Path(self.path)
        table = path / METADATA if path.is_dir() else path
        if not table.exists():
            wanted = f"no {METADATA} in it" if path.is_dir() else "no such table or folder"
            raise GatewiseError(f"{path}: {wanted}")
        _sounds.require_file(table)
        return table

    def _sounds(self) -> Iterator[Sound]:
        table = self._table()
        if Path(self.path).is_dir() and (Path(self.path) / WAVES).is_dir():
            how, columns = LJSPEECH, self._of_ljspeech(table)
        else:
            how = Format.of(self)
            columns = self._of_table(table, how)
        for number, row in enumerate(_tables.read(table, columns, how), 1):
            where = f"{table}, row {number}"
            for role in ("path", "text", "group"):
                if not row.get(role, "-").strip():
                    raise GatewiseError(f"{where}: column {columns[role]!r} is empty")
            if row.get("split", "") not in ("", *SPLITS):
                allowed = ", ".join(SPLITS)
                raise GatewiseError(f"{where}: split {row['split']!r}; allowed: {allowed}")
            text = " ".join(_labels.clean(row["text"]).split())
            name = row["path"] if how is not LJSPEECH else f"{WAVES}/{row['path']}.wav"
            yield Sound(
                name.replace("\\", "/"),
                text.lower() if self.lowercase else text,
                row.get("group"),
                row.get("split", ""),
                str(table),
            )

    def _of_ljspeech(self, table: Path) -> dict[str, str]:
        there = _tables.header(table, LJSPEECH)
        if len(there) < 2:
            raise GatewiseError(f"{table}: expected id|text, or id|text|normalised text")
        return {"path": "1", "text": "3" if len(there) > 2 else "2"}

    def _of_table(self, table: Path, how: Format) -> dict[str, str]:
        there = _tables.header(table, how)
        named = {str(role): name for role, name in self.columns.items()}
        columns = {
            role: named.get(role) or next((name for name in usual if name in there), usual[0])
            for role, usual in (("path", PATHS), ("text", TEXTS))
        }
        more = {
            role: named.get(role, role)
            for role in ("group", "split")
            if role in named or role in there
        }
        return columns | more
