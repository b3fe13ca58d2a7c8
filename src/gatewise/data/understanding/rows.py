"""Tables by what is asked of their rows: the source that reads them, and its options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from gatewise.data.understanding import (
    asked,
    image_tables,
    pairs,
    spoken_texts,
    tables,
    time_tables,
)
from gatewise.data.understanding.record import Chosen, Options
from gatewise.errors import GatewiseError


def read(files: Mapping[str, Path], given: Options) -> Chosen:
    """Options of the source that reads one table, or one for each split.

    Args:
        files: by split; `{"": table}` for one alone.
        given: what the user said.

    Raises:
        Ambiguous: two ways to read them are about as likely.
        GatewiseError: they cannot be read, or a role is not filled.
    """
    table = tables.first(files, given)
    objective = asked.of(table, given)
    if image_tables.is_meant(table, given):
        return image_tables.of_table(table, files, objective, given)
    if objective == "classify":
        return tables.texts(table, files, given)
    splits, notes = tables.usable_splits(files, table)
    if objective == "generate":
        chosen = pairs.of_table(table, splits, given)
        return replace(chosen, notes=(*notes, *chosen.notes))
    if len(splits) > 1:
        what = "series are split in time" if objective == "forecast" else "name splits in a column"
        raise GatewiseError(f"{table.path}: one table alone is read; {what}")
    one = spoken_texts.of_table if objective == "transcribe" else time_tables.chosen
    return one(table, given)
