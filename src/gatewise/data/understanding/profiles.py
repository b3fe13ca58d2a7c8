"""What a column of a table holds, measured on its first rows."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from gatewise.data.frontends.decoding import FOREIGN, SUFFIXES
from gatewise.data.sources import _images, _tables
from gatewise.data.sources._layout import SPLIT_NAMES
from gatewise.data.sources._tables import Format
from gatewise.data.understanding import scripts

LOOKED_ROWS = 20_000
LOOKED_CHARACTERS = 50_000_000
"""Where texts are long, fewer rows are looked at."""
LOOKED_KEYS = 100
"""Rows of JSONL in which columns are looked for."""
MOSTLY = 0.95
LONGEST_KEPT = 200
"""Characters of a value by which values are told apart: bounds the memory for long texts."""
_DATE = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.]\d{4}")
_NO_WORDS = re.compile(
    r"https?://\S+|[\w./\\:-]+\.[A-Za-z0-9]{2,4}|[0-9a-fA-F-]{16,}|\d{4}-\d\d-\d\d\S*( \d\S*)?"
)
"""Addresses, paths, digests and dates: long, unique, and nothing to read."""


@dataclass
class Profile:
    """One column."""

    name: str
    rows: int = 0
    missing: int = 0
    odd: str = ""
    """What a value is that is neither text nor number: `a list`."""
    numbers: int = 0
    fractions: int = 0
    characters: int = 0
    spaced: int = 0
    """Values of two words or more."""
    unspaced: int = 0
    """Values in scripts that put no spaces between words, of two characters or more."""
    paths: int = 0
    """Values that are called like sound files."""
    images: int = 0
    """Values that are called like image files."""
    no_words: int = 0
    dates: int = 0
    values: Counter[str] = field(default_factory=Counter)

    def add(self, value: Any) -> None:
        """Count one value as the format has it."""
        self.rows += 1
        if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
            self.missing += 1
            return
        if isinstance(value, (list, dict, tuple, bytes)):
            self.odd = "bytes" if isinstance(value, bytes) else "lists or objects"
            return
        text = str(value).strip()
        self.characters += len(text)
        self.values[text[:LONGEST_KEPT]] += 1
        number = _number(text)
        self.numbers += number is not None
        self.fractions += number is not None and not number.is_integer()
        self.spaced += " " in text
        self.unspaced += len(text) > 1 and scripts.is_unspaced(text)
        file = PurePosixPath(text.replace("\\", "/"))
        self.paths += file.suffix.lower() in (*SUFFIXES, *FOREIGN)
        self.images += _images.is_image(file)
        self.dates += _DATE.match(text) is not None
        self.no_words += _NO_WORDS.fullmatch(text) is not None

    @property
    def filled(self) -> int:
        """Values that are there."""
        return self.rows - self.missing

    @property
    def distinct(self) -> int:
        """Different values."""
        return len(self.values)

    @property
    def share_distinct(self) -> float:
        """Different values as a part of all, 0 to 1."""
        return self.distinct / max(1, self.filled)

    @property
    def is_numeric(self) -> bool:
        """Whether nearly all values are numbers."""
        return self.filled > 0 and self.numbers >= MOSTLY * self.filled

    @property
    def is_measure(self) -> bool:
        """Whether the values are quantities: fractions of many kinds, or many different counts."""
        if not self.is_numeric or self.distinct <= 20:
            return False
        return self.fractions > self.filled / 20 or self.distinct > self.filled / 4

    @property
    def is_paths(self) -> bool:
        """Whether it lists sound files."""
        return self.filled > 0 and self.paths >= MOSTLY * self.filled

    @property
    def is_images(self) -> bool:
        """Whether it lists image files."""
        return self.filled > 0 and self.images >= MOSTLY * self.filled

    @property
    def is_splits(self) -> bool:
        """Whether every value is the name of a split."""
        names = {value.casefold() for value in self.values}
        return bool(names) and not self.missing and names <= SPLIT_NAMES.keys()

    @property
    def is_text(self) -> bool:
        """Whether a person could read the values."""
        if self.odd or self.is_numeric or not self.filled or self.is_splits:
            return False
        if self.is_paths or self.is_images:
            return False
        return self.distinct > 1 and self.no_words < self.filled / 2

    @property
    def readable(self) -> float:
        """How much it looks like the text: length, spaces and variety."""
        length = self.characters / max(1, self.filled)
        running = (self.spaced + self.unspaced) / max(1, self.filled)
        return length * (0.2 + running) * self.share_distinct

    @property
    def repeats(self) -> float:
        """How often a value stands there on average."""
        return self.filled / max(1, self.distinct)


def of(path: Path, how: Format) -> tuple[dict[str, Profile], list[dict[str, str]]]:
    """Profiles of a table's columns over its first rows, and those rows as text, long values cut.

    Raises:
        GatewiseError: a row cannot be read.
    """
    found = {name: Profile(name) for name in _tables.header(path, how)}
    # Rows of JSONL may lack a column; that is refused where it is used.
    wanted = {name: name for name in found} if _tables.suffix(path) == ".parquet" else {}
    plain: list[dict[str, str]] = []
    characters = 0
    for _, row in itertools.islice(_tables.rows(path, wanted, how), LOOKED_ROWS):
        for name in row.keys() - found.keys() if len(plain) < LOOKED_KEYS else ():
            found[name] = Profile(name, rows=len(plain), missing=len(plain))
        for name, profile in found.items():
            value = row.get(name)
            profile.add(value)
            characters += len(value) if isinstance(value, str) else 8
        plain.append({name: _cut(row.get(name)) for name in found})
        if characters > LOOKED_CHARACTERS:
            break
    return found, [{name: row.get(name, "") for name in found} for row in plain]


def _cut(value: Any) -> str:
    return "" if value is None else str(value)[:LONGEST_KEPT].strip()


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
