"""Files that pairs of texts come in: tables, two files line by line, translation memories."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatewise.data.sources import _tables, _tmx
from gatewise.data.sources._tables import Format
from gatewise.errors import GatewiseError

SOURCES = ("source", "src", "input", "question", "prompt", "text")
TARGETS = ("target", "tgt", "trg", "output", "answer", "translation", "reference", "summary")
"""Usual names of columns, the clearest first."""
OTHERS = ("group", "split")
NESTED = "translation"
"""The column in which Hugging Face's sets of translations hold texts by language."""
LOOKED_UNITS = 1_000
"""Units of a translation memory from which its languages are told."""


@dataclass(frozen=True, slots=True)
class Row:
    """One pair as a file has it."""

    where: str
    """File and line, for messages."""
    source: str
    targets: tuple[str, ...]
    """Several are right alike; none where the file has none."""
    group: str | None = None
    split: str = ""


# --- tables ----------------------------------------------------------------------------------


def columns(path: Path, how: Format, named: Mapping[str, str]) -> dict[str, str]:
    """Columns of a table by their role: as they were named, by their usual names, or by order.

    Args:
        path: the table.
        how: how it is written.
        named: what the user said.

    Raises:
        GatewiseError: what is said to what does not follow.
    """
    _tables.require(path)
    there = _tables.header(path, how)
    roles = dict(named)
    for role in OTHERS:
        if role in there and role not in roles:
            roles[role] = role
    for role, usual in (("source", SOURCES), ("target", TARGETS)):
        free = [name for name in usual if name in there and name not in roles.values()]
        if role not in roles and free:
            roles[role] = free[0]
    lacking = [role for role in ("source", "target") if role not in roles]
    left = [name for name in there if name not in roles.values()]
    if lacking and len(left) != len(lacking):
        raise GatewiseError(
            f"{path}: cannot tell which column is the {' and which the '.join(lacking)}; its "
            f"columns are {', '.join(map(repr, there))}; name them: `columns: {{source: ..., "
            "target: ...}` (texts by language within one are read with `languages: [en, es]`)"
        )
    return roles | dict(zip(lacking, left, strict=False))


def table(path: Path, roles: Mapping[str, str], how: Format) -> Iterator[Row]:
    """Pairs of a table; a list of texts in the column of targets are texts that are right alike.

    Raises:
        GatewiseError: as `_tables.read`.
    """
    _tables.require(path)
    for where, row in _tables.rows(path, roles, how):
        plain = {
            role: _tables.text(row[name], name, where)
            for role, name in roles.items()
            if role != "target"
        }
        targets = _several(row[roles["target"]], roles["target"], where)
        yield Row(where, plain["source"], targets, plain.get("group"), plain.get("split", ""))


def nested(path: Path, languages: Sequence[str], how: Format) -> Iterator[Row]:
    """Pairs of a table whose column `translation` holds a text for each language.

    Args:
        path: JSONL or Parquet.
        languages: translated from and into.
        how: how it is written.

    Raises:
        GatewiseError: it cannot be read, or a row lacks one of the languages.
    """
    _tables.require(path)
    first, other = languages
    others = {role: role for role in OTHERS if role in _tables.header(path, how)}
    for where, row in _tables.rows(path, {"target": NESTED, **others}, how):
        texts = row[NESTED]
        if not isinstance(texts, dict):
            raise GatewiseError(
                f"{where}: column {NESTED!r} holds no texts by language, and `languages` asks for "
                "them; leave it out and name the `columns`"
            )
        for language in languages:
            if language not in texts:
                raise GatewiseError(
                    f"{where}: column {NESTED!r} has no {language!r}; its languages are "
                    f"{', '.join(map(repr, texts))}"
                )
        plain = {role: _tables.text(row[role], role, where) for role in others}
        yield Row(
            where,
            _tables.text(texts[first], first, where),
            _several(texts[other], other, where),
            plain.get("group"),
            plain.get("split", ""),
        )


def _several(value: Any, column: str, where: str) -> tuple[str, ...]:
    if isinstance(value, dict) and column == NESTED:
        raise GatewiseError(
            f"{where}: column {column!r} holds texts by language ({', '.join(map(repr, value))}); "
            "say which is translated into which: `languages: [en, es]`"
        )
    values = value if isinstance(value, (list, tuple)) else [value]
    return tuple(_tables.text(one, column, where) for one in values)


# --- two files, line by line -----------------------------------------------------------------


def lines(path: Path, targets: Path, encoding: str) -> Iterator[Row]:
    """Pairs of two files whose lines answer each other.

    Raises:
        GatewiseError: one of them has fewer lines, or cannot be read.
    """
    both = (_tables.lines(path, encoding), _tables.lines(targets, encoding))
    number = 0
    for number, (source, target) in enumerate(itertools.zip_longest(*both), 1):
        if source is None or target is None:
            longer, shorter = (path, targets) if target is None else (targets, path)
            raise GatewiseError(
                f"{shorter}: ends after {number - 1:,} lines, {longer} goes on; both need a line "
                "for each pair, in the same order"
            )
        (where, given), (_, said) = source, target
        yield Row(f"{where} (and {targets})", given, (said,))
    if not number:
        raise GatewiseError(f"{path}: no lines")


# --- translation memories --------------------------------------------------------------------


def memory(path: Path, languages: Sequence[str]) -> Iterator[Row]:
    """Pairs of a translation memory.

    Args:
        path: in TMX.
        languages: translated from and into.

    Raises:
        GatewiseError: it cannot be read.
    """
    _, units = _tmx.read(path)
    first, other = (language.casefold() for language in languages)
    for unit in units:
        sources, targets = unit.of(first), unit.of(other)
        where = f"{path}, line {unit.line}"
        yield Row(where, sources[0] if sources else "", tuple(targets))


def languages(path: Path) -> tuple[str, str]:
    """What a translation memory translates from and into, where it says so.

    Raises:
        GatewiseError: it has other than two languages, or does not say which is the source.
    """
    source, codes = there(path)
    others = [code for code in codes if code != source]
    if source in codes and len(others) == 1:
        return source, others[0]
    raise GatewiseError(
        f"{path}: has the languages {', '.join(codes)}, and its header names "
        f"{source or 'none'} as the source; say which is translated into which: `languages: [en, "
        "es]`"
    )


def there(path: Path) -> tuple[str, list[str]]:
    """What a translation memory calls its source ("" if nothing), and its languages.

    Raises:
        GatewiseError: it cannot be read.
    """
    source, units = _tmx.read(path)
    return source, list(_tmx.languages(itertools.islice(units, LOOKED_UNITS)))
