"""Which encoding a table's bytes are in, and whether they are text at all."""

from __future__ import annotations

import codecs
import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from gatewise.data.sources import _tables
from gatewise.data.understanding.record import Ambiguous, Note, Reading
from gatewise.errors import GatewiseError
from gatewise.files import open_regular

BLOCK = 1 << 20
SHOWN = 24  # characters of a sample around the first letter beyond ASCII
MARKS = {
    codecs.BOM_UTF8: "utf-8",  # the mark itself is taken away in reading
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
EASTERN = ("shift_jis", "gb18030", "euc_kr", "big5", "cp1251", "koi8_r", "iso8859_7")
"""Encodings of whole words beyond ASCII: which of them, only somebody who can read it knows."""
_BEYOND = re.compile(rb"[\x80-\xff]+")
_LONE = 2  # bytes: a longer run is no accented letter among others


@dataclass(frozen=True)
class Encoding:
    """An encoding, and how it was found."""

    name: str
    note: Note | None = None
    """Nothing where it is UTF-8, as everybody expects."""


def find(path: Path) -> Encoding:
    """The encoding of the text file `path`, which may be gzipped.

    Raises:
        Ambiguous: several encodings of whole words fit.
        GatewiseError: it is no text, or damaged.
    """
    with _opened(path) as file:
        head = file.read(BLOCK)
    for mark, name in MARKS.items():
        if head.startswith(mark):
            said = f"{name.upper()} by its byte-order mark"
            return Encoding(name, None if name == "utf-8" else Note("encoding", said))
    if b"\0" in head:
        return _wide(path, head)
    wrong = _undecodable(path, "utf-8")
    if wrong is None:
        return Encoding("utf-8")
    return _single_bytes(path, wrong)


def _opened(path: Path) -> IO[bytes]:
    if path.name.lower().endswith(_tables.PACKED):
        return cast("IO[bytes]", gzip.open(path))
    return open_regular(path)


def _blocks(path: Path) -> Iterator[bytes]:
    with _opened(path) as file:
        while block := file.read(BLOCK):
            yield block


def _wide(path: Path, head: bytes) -> Encoding:
    """UTF-16 without a mark: every other byte of what is mostly ASCII is zero."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    for zeros, others, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros > half / 2 and others < half / 100:
            said = f"{name.upper()}: every other byte is zero"
            return Encoding(name, Note("encoding", said, "likely", ("--encoding NAME",)))
    raise GatewiseError(
        f"{path}: no text (it holds zero bytes), although it is named like a table; give the table "
        "itself, as CSV, TSV, JSONL or Parquet"
    )


def _undecodable(path: Path, name: str) -> bytes | None:
    """A stretch of the file from where it stops to be of an encoding; nothing if it all is."""
    decoder = codecs.getincrementaldecoder(name)()
    before = b""
    for block in _blocks(path):
        try:
            decoder.decode(block)
        except UnicodeDecodeError:
            return before[-1:] + block
        before = block
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return before
    return None


def _single_bytes(path: Path, stretch: bytes) -> Encoding:
    runs = _BEYOND.findall(stretch)
    control = sum(stretch.count(byte) for byte in (*range(1, 9), *range(14, 27), *range(28, 32)))
    if control > len(stretch) / 50:
        raise GatewiseError(
            f"{path}: no text, although it is named like a table; nothing in it "
            "can be read as words"
        )
    if sum(len(run) for run in runs if len(run) <= _LONE) >= sum(map(len, runs)) / 2:
        name = "cp1252" if _undecodable(path, "cp1252") is None else "latin-1"
        sample = _sample(stretch, name)
        said = f"{name}, since it is not UTF-8 and accented letters stand alone: {sample!r}"
        return Encoding(name, Note("encoding", said, "likely", ("--encoding NAME",)))
    fitting = [name for name in EASTERN if _undecodable(path, name) is None]
    if not fitting:
        raise GatewiseError(
            f"{path}: neither UTF-8 nor any other encoding that was tried; name its own with "
            "--encoding, or save it as UTF-8"
        )
    fitting.sort(key=lambda name: -_lower_case(stretch, name))
    readings = [Reading(repr(_sample(stretch, n)), {"encoding": n}) for n in fitting[:4]]
    if len(readings) == 1:
        note = Note("encoding", f"{fitting[0]}: {readings[0].said}", "likely", ("--encoding NAME",))
        return Encoding(fitting[0], note)
    raise Ambiguous(f"{path}: not UTF-8, and in other encodings it says", readings)


def _sample(stretch: bytes, name: str) -> str:
    """Some words around the first that is not ASCII."""
    beyond = _BEYOND.search(stretch)
    start = max(0, beyond.start() - SHOWN // 2) if beyond else 0
    # From a line's or a field's start on: in the middle of a character nothing can be read.
    start = max(stretch.rfind(b"\n", 0, start), stretch.rfind(b",", 0, start)) + 1
    text = stretch[start : start + 8 * SHOWN].decode(name, errors="ignore")
    return " ".join(text.split())[:SHOWN]


def _lower_case(stretch: bytes, name: str) -> float:
    """Share of letters beyond ASCII that look like running text: small ones, or of no case.

    Of two Cyrillic encodings read as one another, the wrong one turns small letters into capitals.
    """
    letters = [c for c in stretch.decode(name, errors="ignore") if ord(c) > 127]
    plain = [c for c in letters if c.isalpha() and not c.isupper() and c < "\uff61"]
    return len(plain) / max(1, len(letters))
