"""Your own text files: one folder per label, a file a text."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import field_validator

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import LONGEST_DOCUMENT, SourceCard
from gatewise.data.sources import _documents, _labels, _sounds, _splits
from gatewise.data.sources._documents import Document
from gatewise.data.sources._named import NamedFiles
from gatewise.data.sources._sounds import Sound as Listed
from gatewise.errors import GatewiseError
from gatewise.files import DamagedError, open_regular

SUFFIXES = (".txt", ".text", ".md", "")
"""Endings of text files; news and mails often have none."""
MARKUP = (".html", ".htm", ".xml", ".rtf", ".doc", ".docx", ".odt", ".pdf")
"""Files that hold a text, but among signs of their format: they are left out by name."""
LONGEST_BYTES = 4 * (LONGEST_DOCUMENT + 1)
"""That are read of a file: enough to know that it is longer than any document may be."""
MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""Byte-order marks that say their encoding whatever is declared; UTF-8's is taken off later."""
FEW_NOTES = 5
"""Texts that lie right in a folder which has folders of texts: so few are about the data. Of more
it is not clear, and the folders are refused with both readings."""
NAMED = 3


class Source(NamedFiles):
    """Files of text (`.txt`, `.text`, `.md`, or names without an ending), each an example.

    `path` is a folder with one subfolder per label (below folders `train`, `validation`, `test`
    where splits are published). Files that lie beside folders of texts (a README, a word list)
    are about the data: they are left out and named.
    """

    card: ClassVar[SourceCard] = SourceCard(payload="text", title="Texts", licence="your own data")
    size: ClassVar[str] = "whatever you have"
    needs: ClassVar[str] = "a folder of text files"

    kind: Literal["text-folder"]
    encoding: str = "utf-8"
    """Of the files; UTF-16 with its byte-order mark is always read as such."""
    fallback: str | None = None
    """Encoding of the files that are not of `encoding`, where a collection is mixed, e.g.
    `cp1252`. Left out: such a file is refused by name."""
    without: tuple[str, ...] = ()
    """Labels whose texts are left out."""
    title: str = "Texts"
    """What the data are, for people."""
    licence: str = "your own data"

    @field_validator("encoding", "fallback")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                codecs.lookup(value)
            except LookupError:
                raise ValueError(f"unknown encoding {value!r}") from None
        return value

    def reads(self) -> list[Path]:
        """The folders."""
        return list(self.parts().values())

    def look(self) -> None:
        """Refuse early what `fetch` would refuse of folders and names; opens no file.

        Raises:
            GatewiseError: as `fetch` does.
        """
        for path in self.parts().values():
            self.by_name(path, self._names(path, self.found(path)), say=False)

    def fetch(self, target: Path) -> None:
        """Copy texts and labels into `target`."""
        parts = {split: self._at(path) for split, path in self.parts().items()}
        root, listed, skipped = parts[""] if "" in parts else _splits.joined(parts)
        kept = _labels.without(listed, self.without, self.title)
        cleaned = _labels.cleaned(list(kept), self.title)
        card = self.card.model_copy(
            update={"title": self.title, "licence": self.licence, "skipped": skipped}
        )
        manifest.write(target, card, _documents.write(target, self._documents(root, cleaned)))

    def _at(self, path: Path) -> _splits.Listed:
        if not path.is_dir():
            raise GatewiseError(f"{path}: no such folder")
        found = self.found(path)
        names = self._names(path, found)
        found.warn(path)
        return path, self.by_name(path, names), found.skipped()

    def found(self, path: Path) -> Found:
        """What lies below one of the folders, as `layout` and `name` tell texts from notes.

        Raises:
            GatewiseError: as `walk`.
        """
        if self.layout is None and self.name is None:
            return walk(path)
        return walk(path, 0 if self.layout is None else self.layout.count("/") + 1)

    def _names(self, path: Path, found: Found) -> list[str]:
        if not found.texts:
            endings = ", ".join(filter(None, SUFFIXES))
            raise GatewiseError(
                f"{path}: no text files ({endings}, or no ending) in its subfolders"
            )
        return [file.relative_to(path).as_posix() for file in found.texts]

    def _documents(self, root: Path, listed: Iterable[Listed]) -> Iterator[Document]:
        for one in listed:
            text = read(root / one.path, self.encoding, self.fallback)
            yield Document(one.path, text, one.label, one.group, one.split)


# --- what lies below a folder --------------------------------------------------------------


@dataclass
class Found:
    """What lies below a folder of texts."""

    texts: list[Path] = field(default_factory=list)
    """Sorted."""
    beside: list[Path] = field(default_factory=list)
    """Files named like texts that lie beside folders of texts."""
    others: list[Path] = field(default_factory=list)

    def skipped(self) -> dict[str, int]:
        """Number of files that are no texts, by the reason why they are left out."""
        counts = {reason: len(files) for reason, files in self._reasons().items()}
        return {reason: count for reason, count in counts.items() if count}

    def warn(self, root: Path) -> None:
        """Name them on stderr."""
        for reason, files in self._reasons().items():
            if files:
                some = ", ".join(str(path.relative_to(root)) for path in files[:NAMED])
                more = f", and {len(files) - NAMED} more" if len(files) > NAMED else ""
                print(
                    f"warning: {root}: left out {len(files)} files: {reason}: {some}{more}",
                    file=sys.stderr,
                )

    def _reasons(self) -> dict[str, list[Path]]:
        markup = [path for path in self.others if path.suffix.lower() in MARKUP]
        rest = [path for path in self.others if path.suffix.lower() not in MARKUP]
        return {
            "beside folders of texts": self.beside,
            "not plain text": markup,
            "no text files by their names": rest,
        }


def walk(root: Path, levels: int | None = None) -> Found:
    """Files below `root`, hidden ones left out; links are followed.

    Args:
        root: the folder.
        levels: of folders that every text lies in; left out: found by what lies beside what.

    Raises:
        GatewiseError: as `_sounds.walk`, or something named like a text is no regular file.
    """
    there = _sounds.walk(root)
    texts = [path for path in there.others if is_text(path)]
    for path in texts:
        _sounds.require_file(path)
    beside = _notes(root, texts) if levels is None else _above(root, texts, levels)
    others = [path for path in there.others if not is_text(path)]
    return Found(
        [path for path in texts if path not in beside],
        [path for path in texts if path in beside],
        sorted([*others, *there.sounds]),
    )


def _above(root: Path, texts: Sequence[Path], levels: int) -> set[Path]:
    return {path for path in texts if len(path.relative_to(root).parts) <= levels}


def _notes(root: Path, texts: Sequence[Path]) -> set[Path]:
    """Texts that lie beside folders of texts, where they are few."""
    right_in: dict[Path, list[Path]] = {}
    for path in texts:
        right_in.setdefault(path.parent, []).append(path)
    above = {folder for inner in right_in for folder in inner.parents if folder != root.parent}
    return {
        path
        for folder in above & right_in.keys()
        if len(right_in[folder]) <= FEW_NOTES
        for path in right_in[folder]
    }


def is_text(path: Path) -> bool:
    """Whether a file is called as texts are; names like `37261` and `12.` have no ending."""
    suffix = path.suffix.lower()
    return suffix in SUFFIXES or suffix == "." or suffix[1:].isdigit()


# --- one file ------------------------------------------------------------------------------


def read(path: Path, encoding: str = "utf-8", fallback: str | None = None) -> str:
    """The text of a file, cut just behind what a document may have.

    Args:
        path: the file.
        encoding: that it should be of.
        fallback: that it is read as if it is not.

    Raises:
        GatewiseError: it is of neither, holds zero bytes, or cannot be read.
    """
    data = _bytes(path)
    marked = next((name for mark, name in MARKS.items() if data.startswith(mark)), None)
    tried = [marked] if marked else [encoding, *([fallback] if fallback else [])]
    whole = len(data) < LONGEST_BYTES
    for name in tried:
        text = decoded(data, name, whole=whole)
        if text is None:
            continue
        if "\0" in text:
            raise GatewiseError(f"{path}: no text (it holds zero bytes), although named like one")
        return text[: LONGEST_DOCUMENT + 1]
    line, byte = _undecodable(data, tried[0])
    raise GatewiseError(
        f"{path}, line {line}: byte 0x{byte:02x} is not {tried[0]}; save the file as UTF-8, name "
        "the encoding of all files under `encoding`, or that of such files under `fallback`"
    )


def decoded(data: bytes, encoding: str, *, whole: bool) -> str | None:
    """Bytes as text; nothing if they are not of the encoding.

    Args:
        data: the bytes.
        encoding: their encoding.
        whole: whether they are all of a file; if not, a character may be cut at their end.
    """
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data, final=whole)
    except UnicodeDecodeError:
        return None


def _bytes(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(LONGEST_BYTES)
    except DamagedError:
        raise
    except OSError as error:
        raise GatewiseError(f"{path}: not readable: {error.strerror}") from None


def _undecodable(data: bytes, encoding: str) -> tuple[int, int]:
    """Line and value of the first byte that is not of the encoding."""
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        place = min(error.start, len(data) - 1)
        return 1 + data.count(b"\n", 0, place), data[place]
    return 1, 0


def unlike(root: Path, names: Iterable[str], encoding: str) -> Iterator[Path]:
    """Files below `root` that are not of an encoding and have no mark that says their own."""
    for path in map(root.joinpath, names):
        data = _bytes(path)
        if any(data.startswith(mark) for mark in MARKS):
            continue
        if decoded(data, encoding, whole=len(data) < LONGEST_BYTES) is None:
            yield path
