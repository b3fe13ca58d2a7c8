"""Tables that stages leave as CSV, read with a look at what stands in them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.files import DamagedError, reading

if TYPE_CHECKING:
    import pandas as pd


def read(
    path: str | Path,
    required: Sequence[str],
    remedy: str,
    texts: Sequence[str] = (),
) -> pd.DataFrame:
    """A table of numbers, but for its columns `texts`; an empty number is NaN.

    Args:
        path: the file.
        required: columns that it must have, with a value in every row.
        remedy: what makes it anew.
        texts: columns that hold words, in which `NA` is one.

    Raises:
        DamagedError: it is missing or cannot be read, lacks a column or a value, or has words
            where numbers should be.
    """
    import pandas as pd

    path = Path(path)
    if not path.exists():
        raise DamagedError(f"{path}: missing; {remedy}")
    with reading(path, remedy):
        with path.open(newline="", encoding="utf-8") as stream:
            names = next(csv.reader(stream), [])
        numbers = [name for name in names if name not in texts]
        table = pd.read_csv(
            path,
            dtype=dict.fromkeys(texts, str),
            keep_default_na=False,
            na_values={name: ["", "nan"] for name in numbers},
        )
    for name in required:
        if name not in table:
            raise DamagedError(f"{path}: damaged (no column {name!r}); {remedy}")
        if bool(table[name].isna().any()):
            raise DamagedError(f"{path}: damaged (column {name!r} has a gap); {remedy}")
    for name in numbers:
        if len(table) and not pd.api.types.is_numeric_dtype(table[name]):
            raise DamagedError(
                f"{path}: damaged (words where column {name!r} has numbers); {remedy}"
            )
    return table
