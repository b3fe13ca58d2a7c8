"""Reading CSV, TSV, JSONL and Parquet row by row, with errors that name file and row."""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, cast

from gatewise.config import suggest
from gatewise.data.sources._quotes import KeptQuotes, SwallowedRows
from gatewise.errors import GatewiseError

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
PACKED = ".gz"
"""May follow all of them but Parquet's."""
LARGEST_FIELD = 1 << 28  # characters; csv's own limit of 128 Ki is below a long document
BOM = "\ufeff"

Quoting = Literal["standard", "none"]


@dataclass(frozen=True)
class Format:
    """How a table is written, where its name does not say so."""

    delimiter: str | None = None
    """Left out: a comma, in TSV a tab."""
    quoting: Quoting | None = None
    """Left out: `none` in TSV; `standard` in CSV, with a look for rows that a quote swallowed."""
    header: bool = True
    """Whether the first line names the columns; if not, they are called 1, 2, ..."""
    encoding: str = "utf-8"

    @classmethod
    def of(cls, options: object) -> Format:
        """As a source's options of the same names say."""
        given = {name: getattr(options, name, None) for name in cls.__dataclass_fields__}
        return cls(**{name: value for name, value in given.items() if value is not None})


DEFAULT = Format()


def suffix(path: Path) -> str:
    """The ending that tells the format, without `.gz`."""
    name = path.name.lower().removesuffix(PACKED)
    return Path(name).suffix


def is_table(path: Path) -> bool:
    """Whether the name of `path` is that of a table."""
    return suffix(path) in SUFFIXES


def require(path: Path) -> None:
    """Refuse what is no table.

    Raises:
        GatewiseError: its name tells no format, or there is no such file.
    """
    if not is_table(path):
        raise GatewiseError(
            f"{path}: cannot tell the format; name it {', '.join(SUFFIXES)} (or .csv.gz)"
        )
    _require_file(path)


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise GatewiseError(
            f"{path}: not a regular file" if path.exists() else f"{path}: no such file"
        )


def read(path: Path, columns: Mapping[str, str], how: Format = DEFAULT) -> Iterator[dict[str, str]]:
    """Rows of `path` as text; missing values are empty.

    Args:
        path: the table.
        columns: names of columns by the role that they are given under. `label` helps to find
            rows that a stray quote has swallowed.
        how: how it is written.

    Raises:
        GatewiseError: the file is missing, empty, not text in its encoding, not well formed,
            lacks a column or has it twice, or holds something that is no text, number or
            truth value.
    """
    require(path)
    empty = True
    for where, row in rows(path, columns, how):
        empty = False
        yield {role: text(row[name], name, where) for role, name in columns.items()}
    if empty:
        raise GatewiseError(f"{path}: no rows")


def header(path: Path, how: Format = DEFAULT) -> list[str]:
    """Names of the columns (of a JSONL file: the keys of its first row).

    Raises:
        GatewiseError: it cannot be read.
    """
    kind = suffix(path)
    if kind == ".parquet":
        return list(_opened_parquet(path).schema_arrow.names)
    if kind in (".jsonl", ".ndjson"):
        return list(next(_jsonl(path, {}, how), ("", {}))[1])
    with _open(path, how) as file:
        names: list[str] = next(_reader(_decoded(file, path, how.encoding), path, how), [])
        return names if how.header else [str(place) for place in range(1, len(names) + 1)]


def rows(
    path: Path, columns: Mapping[str, str], how: Format = DEFAULT
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where each row stands, and its values by column as the format has them.

    Args:
        path: the table.
        columns: names of columns that must be there, as for `read`; of Parquet only these are read.
        how: how it is written.

    Raises:
        GatewiseError: as `read`, but for the kinds of values.
    """
    kind = suffix(path)
    if kind == ".parquet":
        return _parquet(path, columns)
    if kind in (".jsonl", ".ndjson"):
        return _jsonl(path, columns, how)
    return _delimited(path, columns, how)


def lines(path: Path, encoding: str = DEFAULT.encoding) -> Iterator[tuple[str, str]]:
    """Where each line of a text file stands, and the line without its end.

    Raises:
        GatewiseError: the file is missing or not text in its encoding.
    """
    _require_file(path)
    with _open(path, Format(encoding=encoding)) as file:
        for number, line in enumerate(_decoded(file, path, encoding), 1):
            yield f"{path}, line {number}", line.rstrip("\r\n")


def text(value: Any, column: str, where: str) -> str:
    """A value as text: what is missing is empty; what would become a strange class is refused."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, (list, dict, tuple, bytes)):
        raise GatewiseError(
            f"{where}: column {column!r} holds {_kind(value)}; give one text or number"
        )
    plain = str(value)
    try:
        plain.encode()
    except UnicodeEncodeError as error:
        raise GatewiseError(
            f"{where}: column {column!r} holds half of a surrogate pair "
            f"(\\u{ord(plain[error.start]):04x}), which is no character; mend or remove the row"
        ) from None
    return plain


def _kind(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "a list"
    return "bytes" if isinstance(value, bytes) else "an object"


def _require(path: Path, columns: Mapping[str, str], there: list[str]) -> None:
    for name in columns.values():
        if name not in there:
            raise GatewiseError(f"{path}: no column {name!r}{suggest(name, there)}")
        if there.count(name) > 1:
            raise GatewiseError(
                f"{path}: {there.count(name)} columns are called {name!r}; rename all but one"
            )


# --- formats -------------------------------------------------------------------------------


def _delimiter(path: Path, how: Format) -> str:
    return how.delimiter or ("\t" if suffix(path) == ".tsv" else ",")


def _quoting(path: Path, how: Format) -> Quoting:
    return how.quoting or ("none" if suffix(path) == ".tsv" else "standard")


def _reader(lines: Iterator[str], path: Path, how: Format) -> Any:
    bare = _quoting(path, how) == "none"
    try:
        return csv.reader(
            lines,
            delimiter=_delimiter(path, how),
            quoting=csv.QUOTE_NONE if bare else csv.QUOTE_MINIMAL,
            strict=True,
        )
    except TypeError:
        raise GatewiseError(f"{path}: the delimiter must be one character, not several") from None


def _delimited(
    path: Path, columns: Mapping[str, str], how: Format
) -> Iterator[tuple[str, dict[str, Any]]]:
    csv.field_size_limit(LARGEST_FIELD)
    with _open(path, how) as file:
        # Lines as they are read, so that a record of several can be looked at line by line.
        pending: list[str] = []
        rows = _reader(_noted(_decoded(file, path, how.encoding), pending), path, how)
        begin = 1
        try:
            names, first = _names(path, next(rows, None), how)
            _require(path, columns, names)
            swallowed = SwallowedRows(path, names, columns.get("label"), _delimiter(path, how))
            kept = KeptQuotes(path)
            quoted = _quoting(path, how) == "standard"
            while True:
                if first is None:
                    begin, values = rows.line_num + 1, None
                    pending.clear()
                    values = next(rows, None)
                    if values is None:
                        break
                else:
                    values, first = first, None
                if not values:
                    continue
                if len(values) != len(names):
                    raise GatewiseError(
                        f"{path}, line {begin}: {len(values)} fields where the header has "
                        f"{len(names)}"
                    )
                if how.quoting is None and quoted:
                    swallowed.look(begin, values, pending)
                elif how.quoting is None:
                    kept.look(values)
                yield f"{path}, line {begin}", dict(zip(names, values, strict=True))
            swallowed.refuse()
            kept.warn()
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise GatewiseError(
                    f"{path}, line {begin}: a quote opens here and never closes; remove it, or "
                    "set `quoting: none` where quotes are ordinary characters"
                ) from None
            raise GatewiseError(
                f"{path}, line {begin}: {error}; quotes inside a quoted field must be doubled, or "
                "set `quoting: none` where quotes are ordinary characters"
            ) from None


def _names(path: Path, values: list[str] | None, how: Format) -> tuple[list[str], list[str] | None]:
    """Names of the columns, and the first row if it is one."""
    if values is None:
        said = "; its first line must name the columns" if how.header else ""
        raise GatewiseError(f"{path}: empty{said}")
    if how.header:
        return values, None
    return [str(place) for place in range(1, len(values) + 1)], values


def _noted(lines: Iterator[str], pending: list[str]) -> Iterator[str]:
    for line in lines:
        pending.append(line)
        yield line


def _jsonl(
    path: Path, columns: Mapping[str, str], how: Format
) -> Iterator[tuple[str, dict[str, Any]]]:
    with _open(path, how) as file:
        for number, line in enumerate(_decoded(file, path, how.encoding), 1):
            if not line.strip():
                continue
            where = f"{path}, line {number}"
            try:
                row = json.loads(line, object_pairs_hook=_once(columns, where))
            except json.JSONDecodeError as error:
                raise GatewiseError(f"{where}: not JSON: {error}") from None
            except RecursionError:
                raise GatewiseError(
                    f"{where}: not JSON that can be read: nested too deep"
                ) from None
            if not isinstance(row, dict):
                raise GatewiseError(f"{where}: not an object of columns")
            for name in columns.values():
                if name not in row:
                    raise GatewiseError(f"{where}: no column {name!r}{suggest(name, row)}")
            yield where, row


def _once(
    columns: Mapping[str, str], where: str
) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """Makes objects of pairs; of a column that stands twice the last would win unseen."""

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        row = dict(pairs)
        if len(row) < len(pairs):
            names = [name for name, _ in pairs]
            for name in columns.values():
                if names.count(name) > 1:
                    raise GatewiseError(f"{where}: {name!r} stands there {names.count(name)} times")
        return row

    return build


def _parquet(path: Path, columns: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    with _opened_parquet(path) as file:
        _require(path, columns, file.schema_arrow.names)
        wanted = list(dict.fromkeys(columns.values()))
        number = 0
        for batch in file.iter_batches(batch_size=1_000, columns=wanted):
            for row in batch.to_pylist():
                number += 1
                yield f"{path}, row {number}", row


def _opened_parquet(path: Path) -> Any:
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.ParquetFile(path)
    except pyarrow.ArrowInvalid as error:
        raise GatewiseError(f"{path}: not Parquet: {error}") from None


# --- bytes to lines ------------------------------------------------------------------------


def _open(path: Path, how: Format) -> IO[str]:
    try:
        if path.name.lower().endswith(PACKED):
            return cast("IO[str]", gzip.open(path, "rt", encoding=how.encoding, newline=""))
        return path.open(encoding=how.encoding, newline="")
    except LookupError:
        raise GatewiseError(f"{path}: unknown encoding {how.encoding!r}") from None


def _decoded(file: IO[str], path: Path, encoding: str) -> Iterator[str]:
    """The lines of an open file, without a byte-order mark; a wrong byte is named by line."""
    number = 0
    try:
        for line in file:
            number += 1
            yield line.removeprefix(BOM) if number == 1 else line
    except UnicodeDecodeError as error:
        here = (number + 1, error.object[error.start])
        wrong, byte = _first_undecodable(path, encoding) or here
        raise GatewiseError(
            f"{path}, line {wrong}: byte 0x{byte:02x} is not {encoding}; save the file as UTF-8, "
            "or name its own under `encoding`"
        ) from None
    except (gzip.BadGzipFile, EOFError) as error:
        raise GatewiseError(f"{path}: damaged: {error}") from None


def _first_undecodable(path: Path, encoding: str) -> tuple[int, int] | None:
    # Text files are decoded in blocks, so the line being read when it fails is too early.
    packed = path.name.lower().endswith(PACKED)
    with gzip.open(path) if packed else path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                return number, line[error.start]
    return None
