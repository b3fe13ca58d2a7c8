"""Folders and tables as people have them, made small."""

import csv
import gzip
import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from tests import sounds

WORDS = {
    "sport": [
        "the",
        "team",
        "won",
        "a",
        "late",
        "game",
        "after",
        "extra",
        "time",
        "before",
        "a",
        "cheering",
        "crowd",
    ],
    "money": [
        "shares",
        "fell",
        "as",
        "the",
        "central",
        "bank",
        "raised",
        "rates",
        "again",
        "this",
        "quarter",
    ],
    "food": [
        "simmer",
        "onions",
        "with",
        "garlic",
        "then",
        "add",
        "rice",
        "stock",
        "and",
        "fresh",
        "herbs",
    ],
}
LABELS = tuple(WORDS)


def sentence(label: str, number: int) -> str:
    """A text of three to eleven words, unlike that of any other number."""
    words = WORDS[label]
    count = 3 + number % 9
    chosen = [words[(number * 7 + place * (1 + number % 3)) % len(words)] for place in range(count)]
    return " ".join([*chosen, f"item{number}"])


def rows(count: int = 90) -> list[dict[str, str]]:
    """`text, label` of each row, labels in turn."""
    return [{"text": sentence(LABELS[n % 3], n), "label": LABELS[n % 3]} for n in range(count)]


def clips(root: Path, names: Iterable[str], samples: int = 400) -> Path:
    """Sound files below `root`, each of other noise."""
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sounds.wav(number, samples=samples))
    return root


def cross(pattern: str, *values: Sequence[Any]) -> list[str]:
    """Names for every combination: `{}` in `pattern` is filled with each of the values."""
    return [pattern.format(*chosen) for chosen in itertools.product(*values)]


def delimited(
    path: Path,
    given: Sequence[dict[str, str]],
    delimiter: str = ",",
    header: bool = True,
    encoding: str = "utf-8",
    **options: Any,
) -> Path:
    """A table of text, as csv writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n", **options)
        if header:
            writer.writerow(given[0])
        writer.writerows(row.values() for row in given)
    return path


def text_files(
    root: Path,
    pattern: str,
    given: Sequence[dict[str, str]] | None = None,
    encoding: str = "utf-8",
) -> Path:
    """A file for each row below `root`; `pattern` names it by `label` and `n`."""
    for number, row in enumerate(rows() if given is None else given):
        path = root / pattern.format(label=row["label"], n=number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(row["text"].encode(encoding))
    return root


def jsonl(path: Path, given: Sequence[dict[str, Any]]) -> Path:
    """A table of JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in given))
    return path


def parquet(path: Path, given: Sequence[dict[str, Any]]) -> Path:
    """A Parquet table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(given)), path)
    return path


def renamed(given: Sequence[dict[str, str]], **names: str) -> list[dict[str, str]]:
    """Rows under other names of columns."""
    return [{names.get(name, name): value for name, value in row.items()} for row in given]
