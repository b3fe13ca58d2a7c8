"""Rows that a stray quote has swallowed: a CSV that parses, and says something else."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from gatewise.errors import GatewiseError

LONGEST_FIELD_LINES = 1_000
"""Lines that a quoted field may span: more of them are rows, not a text."""


@dataclass
class SwallowedRows:
    """Watches for records of several lines that look like rows of their own.

    A text that begins with a quote opens a quoted field, and one that ends with a quote closes
    it: every row between becomes a part of one text. Such a record gives itself away: several of
    its lines, read for themselves, have as many fields as the header and a known label.
    """

    path: Path
    names: list[str]
    label: str | None
    """Column of the label; without it only the length is looked at."""
    delimiter: str
    _labels: set[str] = field(default_factory=set)
    _suspects: list[tuple[int, list[str]]] = field(default_factory=list)
    """Line, and the labels that its lines would have."""

    def look(self, line: int, values: list[str], lines: list[str]) -> None:
        """Look at one record.

        Args:
            line: where it begins.
            values: its fields.
            lines: the lines of the file that it is made of.

        Raises:
            GatewiseError: it spans more lines than any text.
        """
        if self.label is None:
            return
        place = self.names.index(self.label)
        if len(lines) == 1:
            self._labels.add(values[place])
            return
        if len(lines) > LONGEST_FIELD_LINES:
            raise GatewiseError(
                f"{self.path}, line {line}: a quote that opens here closes {len(lines) - 1} lines "
                f"below (more than {LONGEST_FIELD_LINES:,} are no text); {_ADVICE}"
            )
        rows = [text.rstrip("\r\n").split(self.delimiter) for text in lines]
        labels = [row[place].strip('"') for row in rows if len(row) == len(self.names)]
        self._suspects.append((line, labels))

    def refuse(self) -> None:
        """Judge the records of several lines, now that all labels are known.

        Raises:
            GatewiseError: one of them holds rows.
        """
        seen = Counter(label for _, labels in self._suspects for label in set(labels))
        known = self._labels | {label for label, times in seen.items() if times > 1}
        for line, labels in self._suspects:
            # A text of several lines has its own label on one of them.
            rows = sum(label in known for label in labels)
            if rows > 1:
                raise GatewiseError(
                    f"{self.path}, line {line}: a quote that opens here swallows {rows} rows; "
                    f"{_ADVICE}"
                )


@dataclass
class KeptQuotes:
    """Counts fields in quotes of a table that is read without any."""

    path: Path
    fields: int = 0

    def look(self, values: list[str]) -> None:
        """Look at one record's fields."""
        self.fields += sum(len(v) > 1 and v[0] == v[-1] == '"' for v in values)

    def warn(self) -> None:
        """Say how many there were."""
        if self.fields:
            print(
                f"warning: {self.path}: {self.fields} fields begin and end with a quote, which is "
                "taken as a part of the text; if it belongs to the format, set `quoting: standard`",
                file=sys.stderr,
            )


_ADVICE = (
    "set `quoting: none` where quotes are ordinary characters, or `quoting: standard` if it is "
    "right as it is"
)
