"""How a table of text is written: delimiter, quotes, and whether its first line is a header."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gatewise.data.sources import _tables
from gatewise.data.sources._tables import Format, Quoting
from gatewise.data.understanding import encodings, words
from gatewise.data.understanding.profiles import LONGEST_KEPT
from gatewise.data.understanding.record import Ambiguous, Note, Options, Reading
from gatewise.errors import GatewiseError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LOOKED_ROWS = 500
"""Rows from which delimiter and header are told."""


@dataclass(frozen=True)
class Written:
    """How a table is written, and what was decided about it."""

    how: Format
    notes: tuple[Note, ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """As a source takes them: only what its name and the defaults do not say."""
        usual = Format()
        return {
            name: getattr(self.how, name)
            for name in Format.__dataclass_fields__
            if getattr(self.how, name) != getattr(usual, name)
        }


def find(path: Path, given: Options) -> Written:
    """How the table `path` is written, as far as `given` does not say it.

    Raises:
        Ambiguous: two ways are about as likely.
        GatewiseError: it cannot be read in any.
    """
    kind = _tables.suffix(path)
    if kind == ".parquet":
        return Written(Format())
    notes: list[Note] = []
    encoding = given.encoding
    if encoding is None:
        found = encodings.find(path)
        encoding = found.name
        notes += [found.note] if found.note else []
    how = Format(
        given.delimiter, given.quoting, header=given.header is not False, encoding=encoding
    )
    if kind not in (".csv", ".tsv"):
        return Written(how, tuple(notes))
    how, said = _fields(path, how)
    notes += said
    if given.header is None:
        headed, note = _header(path, how)
        notes += [note] if note else []
        how = replace(how, header=headed)
    return Written(how, tuple(notes))


# --- delimiter and quotes ------------------------------------------------------------------


def _fields(path: Path, how: Format) -> tuple[Format, list[Note]]:
    """The format with delimiter and quoting settled; what the name says goes first."""
    usual = "\t" if _tables.suffix(path) == ".tsv" else ","
    first: Quoting = "none" if usual == "\t" else "standard"
    delimiters = [how.delimiter] if how.delimiter else sorted(DELIMITERS, key=lambda d: d != usual)
    other: Quoting = "standard" if first == "none" else "none"
    quotings = [how.quoting] if how.quoting else [first, other]
    fitting: list[tuple[Format, int]] = []
    for quoting, delimiter in itertools.product(quotings, delimiters):
        tried = replace(how, delimiter=delimiter, quoting=quoting, header=False)
        width = _width(path, tried)
        if width > 1 and all(delimiter != other.delimiter for other, _ in fitting):
            fitting.append((tried, width))
    if not fitting:
        return _none_fits(path, how)
    usually = [fit for fit in fitting if fit[0].delimiter == usual]
    if not usually and len(fitting) > 1 and fitting[0][1] == fitting[1][1]:
        readings = [
            Reading(f"fields between {DELIMITERS[str(f.delimiter)]}", {"delimiter": f.delimiter})
            for f, _ in fitting
        ]
        raise Ambiguous(f"{path}: its lines can be divided in several ways", readings)
    best, _ = (usually or sorted(fitting, key=lambda fit: -fit[1]))[0]
    if how.quoting is None and best.quoting == "none" and _all_quoted(path, best):
        best = replace(best, quoting="standard")
    notes = []
    if how.delimiter is None and best.delimiter != usual:
        said = f"fields lie between {DELIMITERS[str(best.delimiter)]}: every row has as many"
        notes.append(Note("delimiter", said, "likely", ("--delimiter CHARACTER",)))
    if how.quoting is None and best.quoting != first:
        said = (
            "quotes are ordinary characters: read as a part of the format they swallow rows"
            if best.quoting == "none"
            else "quotes belong to the format: they stand around every value of a column, or rows "
            "without them have different numbers of fields"
        )
        notes.append(Note("quoting", said, "likely", (f"--quoting {first}",)))
    # What the name says is left out, and with it the look for swallowed rows stays on.
    return (
        replace(
            how,
            delimiter=best.delimiter if how.delimiter or best.delimiter != usual else None,
            quoting=best.quoting if how.quoting or best.quoting != first else None,
        ),
        notes,
    )


def _width(path: Path, how: Format) -> int:
    """Fields that each of the first rows has; 0 where they differ or cannot be read."""
    try:
        widths = {len(row) for _, row in itertools.islice(_tables.rows(path, {}, how), LOOKED_ROWS)}
    except (GatewiseError, csv.Error):
        return 0
    return widths.pop() if widths else 0


def _all_quoted(path: Path, how: Format) -> bool:
    """Whether a column's values all stand in quotes, and read well without them."""
    rows = [list(row.values()) for _, row in itertools.islice(_tables.rows(path, {}, how), 100)]
    quoted = any(
        sum(len(v) > 1 and v[0] == v[-1] == '"' for v in column) >= 0.9 * len(column)
        for column in zip(*rows, strict=True)
    )
    return quoted and _width(path, replace(how, quoting="standard")) == len(rows[0])


def _none_fits(path: Path, how: Format) -> tuple[Format, list[Note]]:
    """The complaint about the usual way, unless there is but one column."""
    try:
        rows = list(
            itertools.islice(_tables.rows(path, {}, replace(how, header=False)), LOOKED_ROWS)
        )
    except GatewiseError as error:
        tried = ", ".join(DELIMITERS.values())
        raise GatewiseError(
            f"{error}; no other delimiter fits either ({tried} were tried): mend the row, or say "
            "--delimiter"
        ) from None
    if not rows:
        raise GatewiseError(f"{path}: empty")
    raise GatewiseError(
        f"{path}: one column alone, and a text needs a label beside it (fields between "
        f"{', '.join(DELIMITERS.values())} were looked for); say --delimiter if it is another"
    )


# --- header --------------------------------------------------------------------------------


def _header(path: Path, how: Format) -> tuple[bool, Note | None]:
    """Whether the first line names the columns."""
    plain = replace(how, header=False)
    rows = [
        [str(value)[:LONGEST_KEPT] for value in row.values()]
        for _, row in itertools.islice(_tables.rows(path, {}, plain), LOOKED_ROWS)
    ]
    first, rest = [value.strip() for value in rows[0]], rows[1:]
    if not rest:
        return True, None
    known = [name for name in first if words.is_column_name(name)]
    evidence = [_column(value, [row[i].strip() for row in rest]) for i, value in enumerate(first)]
    if -2 in evidence or (-1 in evidence and not known):
        what = next(first[i] for i, found in enumerate(evidence) if found < 0)
        said = f"no header: {what!r} in the first line is a value as in the lines below it"
        return False, Note("header", said, "likely", ("--header",))
    if known:
        return True, None
    if 1 in evidence:
        what = first[evidence.index(1)]
        said = f"the first line is a header: no value below is like {what!r}"
        return True, Note("header", said, "likely", ("--no-header",))
    raise Ambiguous(
        f"{path}: the first line ({_brief(first)}) could be a header or a row",
        [
            Reading("it names the columns", {"header": True}),
            Reading("it is a row", {"header": False}),
        ],
    )


def _column(first: str, rest: Sequence[str]) -> int:
    """What one column says: 2 or 1 for a header, -1 or -2 against one, 0 for nothing."""
    if _is_number(first):
        return -2
    if rest and sum(map(_is_number, rest)) >= 0.95 * len(rest):
        return 1
    counts = Counter(rest)
    if counts[first]:
        return -1 if len(counts) > len(rest) / 2 else -2
    alone = sum(count == 1 for count in counts.values())
    if len(counts) <= len(rest) / 2 and alone <= len(counts) / 4:
        return 1
    return 0


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _brief(values: Sequence[str]) -> str:
    some = [value if len(value) <= 20 else f"{value[:17]}..." for value in values[:3]]
    return ", ".join(map(repr, some)) + (", ..." if len(values) > 3 else "")
