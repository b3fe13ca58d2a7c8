"""Examples side by side: what should have been answered, and what each variant said.

`compare` writes them to `reports/plots/examples.csv`; the page has a table of each task's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.artifacts import shown_examples
from gatewise.evidence.task_evidence import TaskEvidence
from gatewise.report import chosen

if TYPE_CHECKING:
    import pandas as pd

PICTURE = "examples"
"""By which objectives ask for it."""
EACH = 5
"""Examples of either sort."""
COLUMNS = ("task", "example", "sort", "truth", "variant", "answer", "measure")


@dataclass(frozen=True)
class Row:
    """One example."""

    example: str
    sort: str
    truth: str
    answers: Mapping[str, str]
    """By variant."""
    image: str = ""
    """Address of what was shown, for images."""


def texts(evidence: Mapping[str, TaskEvidence], root: str | Path = "runs") -> pd.DataFrame:
    """A row a task, chosen example and variant; none for tasks of other objectives."""
    import pandas as pd

    rows = []
    for task, known in evidence.items():
        if known.card is None or PICTURE not in known.card.asks.pictures:
            continue
        found = chosen.first_seeds(task, known, Path(root))
        names = known.card.labels
        shown = {name: one.kind.shown(one.columns, names) for name, one in found.items()}
        if not shown:
            continue
        ids = next(iter(found.values())).ids
        measures = {name: one.measure for name, one in shown.items()}
        for sort, place in shown_examples.examples(measures, EACH):
            for variant, one in shown.items():
                said = one.truth[place], variant, one.answer[place], float(one.measure[place])
                rows.append((task, ids[place], sort, *said))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def rows(table: pd.DataFrame, images: Mapping[str, str] | None = None) -> list[Row]:
    """The examples of one task's rows of `texts`, with their images by name."""
    return [
        Row(
            str(example),
            str(own["sort"].iloc[0]),
            str(own["truth"].iloc[0]),
            dict(zip(own["variant"], own["answer"], strict=True)),
            (images or {}).get(str(example), ""),
        )
        for example, own in table.fillna("").groupby("example", sort=False)
    ]
