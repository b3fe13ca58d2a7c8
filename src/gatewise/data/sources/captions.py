"""Your own images with texts: a table, or Hugging Face's folders with `metadata.csv`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from pydantic import Field

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import SourceCard
from gatewise.config import SPLITS, SourceOptions
from gatewise.data.sources import _images, _labels, _layout, _metadata, _sounds, _tables
from gatewise.data.sources._images import Listed
from gatewise.data.sources._sounds import slashed
from gatewise.data.sources._tables import Format
from gatewise.errors import GatewiseError

TEXTS = ("text", "caption", "sentence", "description")
"""Columns of a text, of which a table has one."""
PATHS = ("path", "file_name", "image", "file", "filename")
"""Columns of an image's path."""


class Source(SourceOptions):
    """Image files, used in place, with what may be said of them.

    `path` is a CSV, TSV, JSONL or Parquet table (each but Parquet also `.gz`) of paths and texts,
    or a folder with `metadata.csv`, `.jsonl` or `.parquet` as Hugging Face's `imagefolder` has it,
    one for all or one in the folder of each split. Several rows of an image are several texts that
    are right, the first of them the usual one.
    """

    objective: ClassVar[Mapping[str, Any]] = MappingProxyType({"kind": "generate"})
    card: ClassVar[SourceCard] = SourceCard(
        payload="image", title="Images with texts", licence="your own data"
    )
    size: ClassVar[str] = "whatever you have"
    needs: ClassVar[str] = "image files and a table of their texts"

    kind: Literal["captions"]
    path: str
    """Table, or folder with a `metadata` table."""
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
    title: str = "Images with texts"
    """What the data are, for people."""
    synthetic: bool = False
    """Whether a machine made the images or the texts."""
    licence: str = "your own data"

    def reads(self) -> list[Path]:
        """The table and the files that it lists."""
        path = Path(self.path)
        if not path.exists():
            return [path]
        root, listed = self._listed()
        return [path, *(root / one.path for one in listed)]

    def look(self) -> None:
        """Refuse early what `fetch` would refuse of tables; decodes nothing.

        Raises:
            GatewiseError: as `fetch` does.
        """
        self._listed()

    def fetch(self, target: Path) -> None:
        """List the files with their texts into `target`."""
        root, listed = self._listed()
        told = {"title": self.title, "synthetic": self.synthetic, "licence": self.licence}
        skipped = self._unlisted(root, listed)
        card = self.card.model_copy(update={**told, "root": str(root), "skipped": skipped})
        manifest.write(target, card, _images.examples(root, listed))

    def _listed(self) -> tuple[Path, list[Listed]]:
        """The folder that the images' paths are below, and the images, each once."""
        path = Path(self.path)
        if not path.is_dir():
            if not path.exists():
                raise GatewiseError(f"{path}: no such table or folder")
            _sounds.require_file(path)
            return path.parent, _merged(self._rows(path))
        tables = _metadata.tables(path, _sounds.walk(path).others)
        if not tables:
            known = ", ".join(_metadata.NAMES)
            raise GatewiseError(f"{path}: no table of texts in it ({known}), nor in its folders")
        rows = [
            replace(row, path=_metadata.below(path, table, row.path))
            for table in tables
            for row in self._rows(table)
        ]
        if not any(row.split for row in rows):  # else a column says it
            splits = _metadata.splits(path, [row.path for row in rows])
            rows = [replace(row, split=split) for row, split in zip(rows, splits, strict=True)]
        return path, _merged(rows)

    def _rows(self, table: Path) -> Iterator[Listed]:
        """A row of the table each, with one text."""
        how = Format.of(self)
        columns = self._columns(table, how)
        for number, row in enumerate(_tables.read(table, columns, how), 1):
            where = f"{table}, row {number}"
            for role in ("path", "text", "group"):
                if not row.get(role, "-").strip():
                    raise GatewiseError(f"{where}: column {columns[role]!r} is empty")
            split = _layout.split(row.get("split", ""))
            if split not in ("", *SPLITS):
                allowed = ", ".join(SPLITS)
                raise GatewiseError(f"{where}: split {split!r}; allowed: {allowed}")
            text = " ".join(_labels.clean(row["text"]).split())
            yield Listed(
                slashed(table.parent, row["path"]),
                text.lower() if self.lowercase else text,
                row.get("group"),
                split,
                where,
            )

    def _columns(self, table: Path, how: Format) -> dict[str, str]:
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

    def _unlisted(self, root: Path, listed: Sequence[Listed]) -> dict[str, int]:
        """Images of a folder that no table names, counted and said."""
        if not Path(self.path).is_dir():
            return {}
        names = {one.path for one in listed}
        found = [path for path in _sounds.walk(root).others if _images.is_image(path)]
        others = [path for path in found if path.relative_to(root).as_posix() not in names]
        if not others:
            return {}
        print(
            f"warning: {root}: {len(others)} images have no text in its tables, e.g. "
            f"{others[0].relative_to(root)}",
            file=sys.stderr,
        )
        return {"image without a text": len(others)}


def _merged(rows: Iterator[Listed] | Sequence[Listed]) -> list[Listed]:
    """Each image once, with all of its texts, a line each.

    Raises:
        GatewiseError: rows of one image name two groups or two splits.
    """
    first: dict[str, Listed] = {}
    texts: dict[str, dict[str, None]] = {}
    for row in rows:
        known = first.setdefault(row.path, row)
        for what in ("group", "split"):
            one, other = getattr(known, what), getattr(row, what)
            if one != other:
                raise GatewiseError(
                    f"{row.listed_in}: {row.path} is of {what} {other!r} here and of {one!r} in "
                    f"{known.listed_in}; give all texts of an image the same"
                )
        texts.setdefault(row.path, {})[row.label] = None
    return [replace(one, label="\n".join(texts[path])) for path, one in first.items()]
