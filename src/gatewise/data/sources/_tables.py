"""Reading CSV, TSV, JSONL and Parquet row by row, with errors that name file and row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gatewise.config import suggest
from gatewise.errors import GatewiseError

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
LARGEST_FIELD = 1 << 28  # characters; csv's own limit of 128 Ki is below a long document


def read(path: Path, columns: list[str], encoding: str = "utf-8") -> Iterator[dict[str, str]]:
    """Rows of `path` as text, only `columns`; missing values are empty.

    Raises:
        GatewiseError: the file is missing, empty, not text in `encoding`, not well formed,
            or lacks a column.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise GatewiseError(f"{path}: cannot tell the format; name it {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise GatewiseError(f"{path}: no such file")
    reader = {".parquet": _parquet, ".jsonl": _jsonl, ".ndjson": _jsonl}.get(suffix, _delimited)
    empty = True
    for row in reader(path, columns, encoding):
        empty = False
        yield {name: "" if row[name] is None else str(row[name]) for name in columns}
    if empty:
        raise GatewiseError(f"{path}: no rows")


def header(path: Path, encoding: str = "utf-8") -> list[str]:
    """Names of the columns (of a JSONL file: the keys of its first row)."""
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        import pyarrow.parquet

        return list(pyarrow.parquet.read_schema(path).names)
    if suffix in (".jsonl", ".ndjson"):
        return list(next(_jsonl(path, [], encoding), {}))
    with path.open(encoding=encoding, newline="") as file:
        return next(csv.reader(_decoded(file, path, encoding), delimiter=_delimiter(path)), [])


def _delimiter(path: Path) -> str:
    return "\t" if path.suffix.lower() == ".tsv" else ","


def _require(path: Path, columns: list[str], there: list[str]) -> None:
    for name in columns:
        if name not in there:
            raise GatewiseError(f"{path}: no column {name!r}{suggest(name, there)}")


def _delimited(path: Path, columns: list[str], encoding: str) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(LARGEST_FIELD)
    with path.open(encoding=encoding, newline="") as file:
        lines = csv.reader(_decoded(file, path, encoding), delimiter=_delimiter(path), strict=True)
        try:
            names = next(lines, None)
            if names is None:
                raise GatewiseError(f"{path}: empty; its first line must name the columns")
            names[0] = names[0].removeprefix("\ufeff")
            _require(path, columns, names)
            for values in lines:
                if not values:
                    continue
                if len(values) != len(names):
                    raise GatewiseError(
                        f"{path}, line {lines.line_num}: {len(values)} fields where the header "
                        f"has {len(names)}"
                    )
                yield dict(zip(names, values, strict=True))
        except csv.Error as error:
            raise GatewiseError(f"{path}, line {lines.line_num}: {error}") from None


def _jsonl(path: Path, columns: list[str], encoding: str) -> Iterator[dict[str, Any]]:
    with path.open(encoding=encoding) as file:
        for number, line in enumerate(_decoded(file, path, encoding), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise GatewiseError(f"{path}, line {number}: not JSON: {error}") from None
            if not isinstance(row, dict):
                raise GatewiseError(f"{path}, line {number}: not an object of columns")
            for name in columns:
                if name not in row:
                    raise GatewiseError(
                        f"{path}, line {number}: no column {name!r}{suggest(name, row)}"
                    )
            yield row


def _parquet(path: Path, columns: list[str], _encoding: str) -> Iterator[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
    except pyarrow.ArrowInvalid as error:
        raise GatewiseError(f"{path}: not Parquet: {error}") from None
    with file:
        _require(path, columns, file.schema_arrow.names)
        for batch in file.iter_batches(batch_size=1_000, columns=columns):
            yield from batch.to_pylist()


def _decoded(file: Any, path: Path, encoding: str) -> Iterator[str]:
    """The lines of an open file; a byte that is not `encoding` is named by line."""
    number = 0
    try:
        for line in file:
            number += 1
            yield line
    except UnicodeDecodeError:
        line, byte = _first_undecodable(path, encoding)
        raise GatewiseError(
            f"{path}, line {line}: byte 0x{byte:02x} is not {encoding}; save the file as UTF-8, "
            "or name its own under `encoding`"
        ) from None


def _first_undecodable(path: Path, encoding: str) -> tuple[int, int]:
    # Text files are decoded in blocks, so the line being read when it fails is too early.
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                return number, line[error.start]
    raise AssertionError("the whole file can be decoded line by line")
