"""Translation memories in TMX (LISA, version 1.4): units of the same text in several languages.

Read by expat as a stream. Declared entities are refused: small files can say what expands to many
gigabytes.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast
from xml.parsers import expat

from gatewise.data.sources._tables import PACKED
from gatewise.errors import GatewiseError

ENDING = ".tmx"
PIECE = 1 << 16  # bytes
CODES = ("bpt", "ept", "it", "ph", "ut", "sub")
"""Elements within a segment that hold formatting of the original, no text."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: its texts by language, as the file writes languages, in lower case."""

    line: int
    texts: dict[str, list[str]]

    def of(self, language: str) -> list[str]:
        """The texts in a language, whatever the region: `en` also stands for `en-us`."""
        return [
            text
            for code, texts in self.texts.items()
            if code == language or code.startswith(f"{language}-")
            for text in texts
        ]


@dataclass
class _Reader:
    """Collects units from expat's events."""

    path: Path
    parser: expat.XMLParserType = field(default_factory=expat.ParserCreate)
    ready: list[Unit] = field(default_factory=list)
    source: str = ""
    """The language that the header calls the source."""
    _unit: Unit | None = None
    _language: str = ""
    _text: list[str] | None = None
    _coded: int = 0
    """How many elements without text are open."""

    def __post_init__(self) -> None:
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.EntityDeclHandler = self._entity

    def feed(self, data: bytes, final: bool) -> list[Unit]:
        """Units that are complete after some more bytes."""
        try:
            self.parser.Parse(data, final)
        except expat.ExpatError as error:
            said = expat.errors.messages[error.code]
            raise GatewiseError(f"{self.path}, line {error.lineno}: not TMX: {said}") from None
        except (LookupError, UnicodeDecodeError, ValueError) as error:
            line = self.parser.CurrentLineNumber
            raise GatewiseError(f"{self.path}, line {line}: not TMX: {error}") from None
        done, self.ready = self.ready, []
        return done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "header":
            self.source = attributes.get("srclang", "").casefold()
        elif name == "tu":
            self._unit = Unit(self.parser.CurrentLineNumber, {})
        elif name == "tuv":
            said = attributes.get("xml:lang") or attributes.get("lang") or ""
            self._language = said.casefold().replace("_", "-")
        elif name == "seg":
            self._text = []
        elif name in CODES:
            self._coded += 1

    def _characters(self, data: str) -> None:
        if self._text is not None and not self._coded:
            self._text.append(data)

    def _end(self, name: str) -> None:
        if name == "tu" and self._unit is not None:
            self.ready.append(self._unit)
            self._unit = None
        elif name == "seg" and self._text is not None:
            if self._unit is not None:
                own = self._unit.texts.setdefault(self._language, [])
                own.append(" ".join("".join(self._text).split()))
            self._text = None
        elif name in CODES:
            self._coded -= 1

    def _entity(self, name: str, *_: object) -> None:
        raise GatewiseError(
            f"{self.path}, line {self.parser.CurrentLineNumber}: declares the entity {name!r}, "
            "which TMX has no need of; it is not read"
        )


def read(path: Path) -> tuple[str, Iterator[Unit]]:
    """The language that the header calls the source ("" if it names none), and all units.

    Raises:
        GatewiseError: the file is missing, damaged or no TMX, as soon as that is seen.
    """
    units = _stream(path)
    return cast("str", next(units)), cast("Iterator[Unit]", units)


def languages(units: Iterator[Unit]) -> dict[str, int]:
    """How many units have a text in each language, the most frequent first."""
    counts: dict[str, int] = {}
    for unit in units:
        for code in unit.texts:
            counts[code] = counts.get(code, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _stream(path: Path) -> Iterator[str | Unit]:
    """First the header's language, then the units."""
    reader, told, empty = _Reader(path), False, True
    with _open(path) as file:
        for piece, final in _pieces(file, path):
            for unit in reader.feed(piece, final):
                if not told:
                    told = True
                    yield reader.source
                empty = False
                yield unit
    if empty:
        raise GatewiseError(f"{path}: no translation units (<tu>) in it")


def _open(path: Path) -> IO[bytes]:
    if not path.is_file():
        raise GatewiseError(
            f"{path}: not a regular file" if path.exists() else f"{path}: no such file"
        )
    packed = path.name.lower().endswith(PACKED)
    return cast("IO[bytes]", gzip.open(path) if packed else path.open("rb"))


def _pieces(file: IO[bytes], path: Path) -> Iterator[tuple[bytes, bool]]:
    try:
        while piece := file.read(PIECE):
            yield piece, False
    except (gzip.BadGzipFile, EOFError) as error:
        raise GatewiseError(f"{path}: damaged: {error}") from None
    yield b"", True
