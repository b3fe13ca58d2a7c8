"""Your own pairs of texts: what is given, and what should be said to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import SourceCard
from gatewise.config import SPLITS, SourceOptions
from gatewise.data.sources import _documents, _layout, _pair_files, _pairs, _spelling, _tmx
from gatewise.data.sources._pair_files import Row
from gatewise.data.sources._pairs import Pair
from gatewise.data.sources._tables import PACKED, Format
from gatewise.errors import GatewiseError

Files = str | dict[Literal["train", "validation", "test"], str]


class Source(SourceOptions):
    """Pairs of texts: translations, questions with answers, spellings with pronunciations.

    `path` is a table (CSV, TSV, JSONL, each also `.gz`, or Parquet), a translation memory (`.tmx`),
    or, with `targets`, a file whose lines are answered by the lines of another. Rows of the same
    source text are one example that several texts are right for, the most frequent first; in JSONL
    and Parquet a list says the same.
    """

    objective: ClassVar[Mapping[str, Any]] = MappingProxyType({"kind": "generate"})
    card: ClassVar[SourceCard] = SourceCard(
        payload="text", title="Pairs of texts", licence="your own data"
    )
    size: ClassVar[str] = "whatever you have"
    needs: ClassVar[str] = "a table of pairs, two files line by line, or a translation memory"

    kind: Literal["text-pairs"]
    path: Files
    """The file, or `{train: ..., validation: ..., test: ...}`."""
    targets: Files | None = None
    """File whose lines answer those of `path`, one for one; one for each split if `path` has."""
    columns: dict[Literal["source", "target", "group", "split"], str] = Field(default_factory=dict)
    """Names of a table's columns where they are others than the usual ones (`source`, `target`,
    `question`, `answer`, ...) and more than two could be meant."""
    languages: tuple[str, str] | None = None
    """From and into: `[en, es]`. Of a translation memory left out where it has two and says which
    is the source; of JSONL or Parquet those within a column `translation`, as Hugging Face has
    them."""
    alternatives: bool = True
    """Whether rows of the same source text are one example with several right answers."""
    lowercase: bool = True
    """Whether targets are taken in lower case; for sources `features` says it."""
    punctuation: Literal["apart", "kept", "dropped"] = "apart"
    """Signs in targets: words of their own, as they were written, or none."""
    on_empty: Literal["fail", "skip"] = "fail"
    """What to do about pairs with an empty side: refuse them by row, or leave them out."""
    delimiter: str | None = None
    """Of a table; left out: a comma, in TSV a tab."""
    quoting: Literal["standard", "none"] | None = None
    """As for `text-file`."""
    header: bool = True
    """Whether a table's first line names the columns; if not, they are called 1, 2, ..."""
    encoding: str = "utf-8"
    title: str = "Pairs of texts"
    """What the data are, for people."""
    licence: str = "your own data"

    @model_validator(mode="after")
    def _files_match(self) -> Source:
        if (
            self.targets is not None
            and _by_split(self.path).keys() != _by_split(self.targets).keys()
        ):
            splits = ", ".join(filter(None, _by_split(self.path))) or "one"
            raise ValueError(f"targets: name a file for each that path names ({splits})")
        if self.languages and self.columns:
            raise ValueError(
                "columns: `languages` reads texts by their language and not by columns; give one "
                "of the two"
            )
        if self.targets is not None and self.columns:
            raise ValueError("columns: files that are read line by line have none; leave it out")
        return self

    def reads(self) -> list[Path]:
        """All files."""
        return [path for _, *both in self._files() for path in both if path is not None]

    def look(self) -> None:
        """Refuse early what `fetch` would refuse of the first pair of each file.

        Raises:
            GatewiseError: as `fetch` does.
        """
        for _, path, targets in self._files():
            next(self._rows(path, targets))

    def fetch(self, target: Path) -> None:
        """Copy pairs into `target`."""
        skipped: Counter[str] = Counter()
        pairs: Iterable[Pair] = self._pairs(skipped)
        if self.alternatives:
            pairs, joined = _pairs.together(pairs)
            skipped["joined to an earlier row of the same text"] = joined
        examples = _documents.write(target, _pairs.documents(pairs))
        told = {"title": self.title, "licence": self.licence}
        left = {why: count for why, count in skipped.items() if count}
        card = self.card.model_copy(update={**told, "skipped": left})
        manifest.write(target, card, examples)

    def _files(self) -> list[tuple[str, Path, Path | None]]:
        """Split, file, and the file of its targets if that is another."""
        files, others = _by_split(self.path), _by_split(self.targets or "")
        return [
            (split, Path(name), Path(others[split]) if self.targets else None)
            for split, name in files.items()
        ]

    def _rows(self, path: Path, targets: Path | None) -> Iterator[Row]:
        """Pairs as the files have them."""
        if targets is not None:
            return _pair_files.lines(path, targets, self.encoding)
        if path.name.lower().removesuffix(PACKED).endswith(_tmx.ENDING):
            return _pair_files.memory(path, self.languages or _pair_files.languages(path))
        how = Format.of(self)
        if self.languages:
            return _pair_files.nested(path, self.languages, how)
        named = {str(role): name for role, name in self.columns.items()}
        return _pair_files.table(path, _pair_files.columns(path, how, named), how)

    def _pairs(self, skipped: Counter[str]) -> Iterator[Pair]:
        """Pairs that can be used; those that are left out are counted in `skipped`."""
        for split, path, targets in self._files():
            for number, row in enumerate(self._rows(path, targets), 1):
                said = [self._spelt(text) for text in row.targets]
                empty = _empty(row.source, said)
                if empty and self.on_empty == "fail":
                    raise GatewiseError(
                        f"{row.where}: {empty}; fill it, or leave such pairs out with `on_empty: "
                        "skip`"
                    )
                if empty:
                    skipped[empty] += 1
                    continue
                yield Pair(
                    f"{split or 'row'}-{number}",
                    row.source,
                    tuple(said),
                    _group(row),
                    _split(row, split),
                )

    def _spelt(self, text: str) -> str:
        return _spelling.spelt(text, lowercase=self.lowercase, punctuation=self.punctuation)


def _by_split(files: Files) -> dict[str, str]:
    """Files by their split; one alone has none."""
    if isinstance(files, str):
        return {"": files}
    return {str(split): name for split, name in files.items()}


def _empty(source: str, targets: list[str]) -> str:
    """What a pair lacks; nothing if it is whole."""
    if not source.strip():
        return "the source is empty"
    if not targets:
        return "there is no target"
    return "" if all(targets) else "a target is empty"


def _group(row: Row) -> str | None:
    if row.group is not None and not row.group.strip():
        raise GatewiseError(f"{row.where}: the group is empty")
    return row.group


def _split(row: Row, file: str) -> str:
    """The split of a pair, which its file or a column names."""
    if file and row.split:
        raise GatewiseError(
            f"{row.where}: names a split, although the files given under path are the splits "
            "already; name no column of splits"
        )
    named = _layout.split(row.split) if row.split else file
    if named not in ("", *SPLITS):
        raise GatewiseError(f"{row.where}: split {named!r}; allowed: {', '.join(SPLITS)}")
    return named
