"""Your own texts: a table with a text and a label in each row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import SourceCard
from gatewise.config import SPLITS, SourceOptions
from gatewise.data.sources import _documents, _labels, _layout, _tables
from gatewise.data.sources._documents import Document
from gatewise.data.sources._tables import Format
from gatewise.errors import GatewiseError


class Source(SourceOptions):
    """CSV, TSV, JSONL (each also `.gz`) or Parquet; one file, or one for each published split."""

    card: ClassVar[SourceCard] = SourceCard(payload="text", title="Texts", licence="your own data")
    size: ClassVar[str] = "whatever you have"
    needs: ClassVar[str] = "a table of texts and labels"

    kind: Literal["text-file"]
    path: str | dict[Literal["train", "validation", "test"], str]
    """The table, or `{train: ..., validation: ..., test: ...}`. Where validation is left out,
    it is cut from the training groups."""
    text: str = "text"
    """Column of the text."""
    label: str = "label"
    """Column of the label."""
    group: str | None = None
    """Column of what must not cross splits (author, film). Without it, texts that are the same
    but for case, spacing and punctuation form a group."""
    split: str | None = None
    """Column of a published split: train, validation or test, or names like those of folders (dev,
    testing, ...)."""
    delimiter: str | None = None
    """Between the fields of a line; left out: a comma, in TSV a tab."""
    quoting: Literal["standard", "none"] | None = None
    """`none` takes quotes as ordinary characters; left out: `none` in TSV, and `standard` in CSV
    with a look for rows that a quote has swallowed, which are refused."""
    header: bool = True
    """Whether the first line names the columns; if not, they are called 1, 2, ..."""
    encoding: str = "utf-8"
    without: tuple[str, ...] = ()
    """Labels whose texts are left out."""
    title: str = "Texts"
    """What the data are, for people."""
    licence: str = "your own data"

    def reads(self) -> list[Path]:
        """The tables."""
        files = self.path.values() if isinstance(self.path, dict) else [self.path]
        return [Path(name) for name in files]

    def look(self) -> None:
        """Refuse early what `fetch` would refuse of the first row of each table.

        Raises:
            GatewiseError: as `fetch` does.
        """
        for path in self.reads():
            next(_tables.read(path, self._columns(), Format.of(self)))

    def _columns(self) -> dict[str, str]:
        """Names of columns by their role."""
        columns = {"text": self.text, "label": self.label}
        columns |= {"group": self.group} if self.group else {}
        return columns | ({"split": self.split} if self.split else {})

    def fetch(self, target: Path) -> None:
        """Copy texts and labels into `target`."""
        card = self.card.model_copy(update={"title": self.title, "licence": self.licence})
        documents = _labels.stream(
            _labels.without(self._documents(), self.without, self.title), self.title
        )
        manifest.write(target, card, _documents.write(target, documents))

    def _documents(self) -> Iterator[Document]:
        published = isinstance(self.path, dict)
        if published and self.split is not None:
            raise GatewiseError("split: the files given under path are the splits already")
        files = self.path if isinstance(self.path, dict) else {"": self.path}
        columns = self._columns()
        for split, name in files.items():
            path = Path(name)
            for number, row in enumerate(_tables.read(path, columns, Format.of(self)), 1):
                where = f"{path}, row {number}"
                for role in ("label", "group"):
                    if not row.get(role, "-").strip():
                        raise GatewiseError(f"{where}: column {columns[role]!r} is empty")
                if "split" in row:
                    row["split"] = _layout.split(row["split"])
                if row.get("split", "") not in ("", *SPLITS):
                    raise GatewiseError(
                        f"{where}: split {row['split']!r}; allowed: {', '.join(SPLITS)}"
                    )
                yield Document(f"{split or 'row'}-{number}", **{"split": split} | row)
