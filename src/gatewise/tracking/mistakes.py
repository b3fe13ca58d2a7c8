"""What people look at of a run's predictions: scores by class, worst mistakes, every prediction."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gatewise.artifacts import objectives, runs
from gatewise.artifacts.objectives import Objective
from gatewise.artifacts.predictions import Predictions
from gatewise.files import reading
from gatewise.tracking.tables import Table

if TYPE_CHECKING:
    import pandas as pd

PREDICTIONS, WORST, CLASSES = "predictions.json", "worst_mistakes.json", "classes.json"
CONFUSION, BY_CLASS = "confusion", "classes"
"""Pictures that objectives name: of what is taken for what, and scores of each class."""
SHOWN = 25
"""Worst mistakes in the table."""
HEARD = 5
"""Worst mistakes of a variant that can be played."""
LONGEST_NAME = 80
"""Characters of a played mistake's name."""
RAW = Path("data/raw")


def artifacts(folder: Path, task: str, labels: Sequence[str]) -> dict[str, Callable[[], bytes]]:
    """Tables of one run, made when they are needed.

    Args:
        folder: of the run; without predictions there are none.
        task: its name, by which the raw documents are found.
        labels: names of classes or symbols; numbers stand in for missing ones.
    """
    if not (folder / runs.PREDICTIONS).is_file():
        return {}

    def made(make: Callable[[Predictions], Table]) -> bytes:
        return make(runs.read_predictions(folder)).as_json()

    tables = {
        WORST: lambda: made(lambda found: worst(found, labels, _documents(task))),
        PREDICTIONS: lambda: made(lambda found: every(found, labels)),
    }
    if BY_CLASS not in objective_of(folder).pictures:
        return tables
    return {CLASSES: lambda: made(lambda found: by_class(found, labels)), **tables}


def objective_of(folder: Path) -> type[Objective]:
    """The objective of a run, by its predictions."""
    import pyarrow.parquet as pq

    path = folder / runs.PREDICTIONS
    with reading(path, runs.remedy(folder)):
        return objectives.of_columns(pq.read_schema(path).names)


def by_class(found: Predictions, labels: Sequence[str]) -> Table:
    """Recall, precision and F1 of each class, the hardest first."""
    shown = found.kind.shown(found.columns, labels)
    truth, answer = np.array(shown.truth, dtype=object), np.array(shown.answer, dtype=object)
    rows = []
    for name in sorted({*truth, *answer}):
        true, said = truth == name, answer == name
        hits = int((true & said).sum())
        examples, guesses = int(true.sum()), int(said.sum())
        recall = hits / examples if examples else 0.0
        precision = hits / guesses if guesses else 0.0
        f1 = 2 * hits / (examples + guesses) if examples + guesses else 0.0
        rows.append((name, examples, *(round(value, 4) for value in (recall, precision, f1))))
    rows.sort(key=lambda row: row[4])
    return Table(("class", "test examples", "recall", "precision", "F1"), rows)


def worst(found: Predictions, labels: Sequence[str], documents: Mapping[str, str]) -> Table:
    """Wrong predictions, the worst first; with the text where there is one."""
    table = _table(found, _worst(_frame(found, labels), SHOWN))
    if not documents:
        return table
    rows = [(*row, documents.get(str(row[0]), "")) for row in table.rows]
    return Table((*table.columns, "text"), rows)


def every(found: Predictions, labels: Sequence[str]) -> Table:
    """All predictions, by the id that the row has in the data set."""
    return _table(found, _frame(found, labels))


def sounds(
    folders: Sequence[Path], task: str, labels: Sequence[str], raw: Path = RAW
) -> dict[str, Path]:
    """Clips that a variant gets wrong worst, over all of its seeds.

    Returns:
        Files by artifact path; none for tasks without clips, or where the raw data are not here.
    """
    import pandas as pd

    files = _clips(task, raw)
    kept = [folder for folder in folders if (folder / runs.PREDICTIONS).is_file()]
    if not files or not kept:
        return {}
    frames = [_frame(runs.read_predictions(folder), labels) for folder in kept]
    chosen = _worst(pd.concat(frames, ignore_index=True), None).drop_duplicates("id").head(HEARD)
    found = {}
    for i, row in enumerate(chosen.itertuples(index=False), 1):
        clip = files.get(str(row.id))
        if clip is not None and clip.is_file():
            said = f"{row.truth} as {row.answer}".lower()
            name = re.sub(r"[^a-z0-9]+", "-", said)[:LONGEST_NAME].strip("-")
            found[f"worst/{i}-{name}{clip.suffix}"] = clip
    return found


# --- inner ---------------------------------------------------------------------------------


def _frame(found: Predictions, labels: Sequence[str]) -> pd.DataFrame:
    """Predictions for people: `id, group, truth, answer, wrong, measure`."""
    import pandas as pd

    shown = found.kind.shown(found.columns, labels)
    groups = found.group.to_pylist()
    return pd.DataFrame({"id": found.ids, "group": groups, **vars(shown)})


def _table(found: Predictions, frame: pd.DataFrame) -> Table:
    columns = [frame[name].astype(str) for name in ("id", "group", "truth", "answer")]
    measure = [round(float(value), 4) for value in frame["measure"]]
    rows = list(zip(*columns, measure, strict=True))
    return Table(("id", "group", *found.kind.headings), rows)


def _worst(frame: pd.DataFrame, most: int | None) -> pd.DataFrame:
    ordered = frame[frame["wrong"]].sort_values(["measure", "id"], ascending=[False, True])
    return ordered if most is None else ordered.head(most)


@functools.cache
def _documents(task: str, raw: Path = RAW) -> Mapping[str, str]:
    import pandas as pd

    path = raw / task / "documents.parquet"
    if not path.is_file():
        return {}
    table = pd.read_parquet(path, columns=["id", "text"])
    return dict(zip(table["id"].astype(str), table["text"].astype(str), strict=True))


@functools.cache
def _clips(task: str, raw: Path) -> Mapping[str, Path]:
    import pandas as pd

    path = raw / task / "manifest.parquet"
    if not path.is_file():
        return {}
    table = pd.read_parquet(path, columns=["id", "path"])
    return {
        str(key): raw / task / str(place)
        for key, place in zip(table["id"], table["path"], strict=True)
        if place
    }
