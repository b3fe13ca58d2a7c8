"""What people look at of a run's predictions: scores by class, worst mistakes, every prediction."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.artifacts import runs
from gatewise.tracking.tables import Table

if TYPE_CHECKING:
    import pandas as pd

PREDICTIONS, WORST, CLASSES = "predictions.json", "worst_mistakes.json", "classes.json"
SHOWN = 25
"""Worst mistakes in the table."""
HEARD = 5
"""Worst mistakes of a variant that can be played."""
RAW = Path("data/raw")


def artifacts(folder: Path, task: str, labels: Sequence[str]) -> dict[str, Callable[[], bytes]]:
    """Tables of one run, made when they are needed.

    Args:
        folder: of the run; without predictions there are none.
        task: its name, by which the raw documents are found.
        labels: names of classes; numbers stand in for missing ones.
    """
    if not (folder / runs.PREDICTIONS).is_file():
        return {}

    def made(make: Callable[[pd.DataFrame], Table]) -> bytes:
        return make(_named(runs.read_predictions(folder), labels)).as_json()

    return {
        CLASSES: lambda: made(by_class),
        WORST: lambda: made(lambda frame: worst(frame, _documents(task))),
        PREDICTIONS: lambda: made(every),
    }


def by_class(frame: pd.DataFrame) -> Table:
    """Recall, precision and F1 of each class, the hardest first."""
    rows = []
    for name in sorted(set(frame["label"]) | set(frame["predicted"])):
        true, said = frame["label"] == name, frame["predicted"] == name
        hits = int((true & said).sum())
        examples, guesses = int(true.sum()), int(said.sum())
        recall = hits / examples if examples else 0.0
        precision = hits / guesses if guesses else 0.0
        f1 = 2 * hits / (examples + guesses) if examples + guesses else 0.0
        rows.append((name, examples, *(round(value, 4) for value in (recall, precision, f1))))
    rows.sort(key=lambda row: row[4])
    return Table(("class", "test examples", "recall", "precision", "F1"), rows)


def worst(frame: pd.DataFrame, documents: Mapping[str, str]) -> Table:
    """Wrong predictions, the most confident first; with the text where there is one."""
    table = every(_worst(frame, SHOWN))
    if not documents:
        return table
    rows = [(*row, documents.get(str(row[0]), "")) for row in table.rows]
    return Table((*table.columns, "text"), rows)


def every(frame: pd.DataFrame) -> Table:
    """All predictions, by the id that the row has in the data set."""
    names = {"id": "id", "group": "group", "label": "class", "predicted": "predicted"}
    confidence = [round(float(value), 4) for value in frame["confidence"]]
    columns = [frame[name].astype(str) for name in names]
    rows = list(zip(*columns, confidence, strict=True))
    return Table((*names.values(), "confidence"), rows)


def sounds(
    folders: Sequence[Path], task: str, labels: Sequence[str], raw: Path = RAW
) -> dict[str, Path]:
    """Clips that a variant gets wrong with the most confidence, over all of its seeds.

    Returns:
        Files by artifact path; none for tasks without clips, or where the raw data are not here.
    """
    import pandas as pd

    files = _clips(task, raw)
    kept = [folder for folder in folders if (folder / runs.PREDICTIONS).is_file()]
    if not files or not kept:
        return {}
    frames = [_named(runs.read_predictions(folder), labels) for folder in kept]
    chosen = _worst(pd.concat(frames, ignore_index=True), None).drop_duplicates("id").head(HEARD)
    found = {}
    table = every(chosen)
    for i, (identifier, _group, label, predicted, _confidence) in enumerate(table.rows, 1):
        clip = files.get(str(identifier))
        if clip is not None and clip.is_file():
            name = re.sub(r"[^a-z0-9]+", "-", f"{label} as {predicted}".lower()).strip("-")
            found[f"worst/{i}-{name}{clip.suffix}"] = clip
    return found


# --- inner ---------------------------------------------------------------------------------


def _named(frame: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Predictions with names of classes, and the probability of what was said."""

    def name(number: int) -> str:
        return labels[number] if number < len(labels) else str(number)

    return frame.assign(
        label=[name(int(number)) for number in frame["label"]],
        predicted=[name(int(number)) for number in frame["predicted"]],
        confidence=[max(row) for row in frame["probabilities"]],
    )


def _worst(frame: pd.DataFrame, most: int | None) -> pd.DataFrame:
    wrong = frame[frame["label"] != frame["predicted"]]
    ordered = wrong.sort_values(["confidence", "id"], ascending=[False, True])
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
