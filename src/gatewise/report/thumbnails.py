"""Images of the examples that a page shows, small enough to stand in it.

`compare` writes them to `reports/plots/images.csv`, where a task is about images.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gatewise.artifacts.prepared import Prepared
from gatewise.config import Pixels
from gatewise.evidence.task_evidence import TaskEvidence

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("task", "example", "image")
MODALITY = "image"


def images(
    examples: pd.DataFrame,
    evidence: Mapping[str, TaskEvidence],
    prepared: str | Path = "data/prepared",
) -> pd.DataFrame:
    """A row for each image among `examples` (`task, example`), as models see it: a PNG's URI."""
    import pandas as pd

    rows = []
    for task, known in evidence.items():
        if known.card is None or known.card.modality != MODALITY:
            continue
        own = Prepared.open(Path(prepared, task))
        starts = dict(zip(own.index["id"], own.index["start"], strict=True))
        front_end = Pixels(**own.card.front_end)
        for example in dict.fromkeys(examples.loc[examples["task"] == task, "example"]):
            steps = own.sequences[starts[example] :][: front_end.steps]
            rows.append((task, example, uri(_pixels(steps, front_end))))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def uri(pixels: np.ndarray) -> str:
    """A PNG of pixels uint8 `(height, width, channels)` as an address that holds it."""
    import PIL.Image

    grey = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    file = io.BytesIO()
    PIL.Image.fromarray(np.ascontiguousarray(grey)).save(file, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _pixels(steps: np.ndarray, front_end: Pixels) -> np.ndarray:
    return np.asarray(steps).reshape(front_end.height, front_end.width, front_end.channels)
