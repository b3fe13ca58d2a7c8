"""Examples that turn out to be unusable by their targets, once their sequences are written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gatewise.artifacts.prepared import SEQUENCES
from gatewise.data.preparation.sequence_writer import without
from gatewise.data.preparation.transformed import Transformed


def leave_out(done: Transformed, problems: Sequence[str | None], folder: Path) -> None:
    """Note why examples cannot be used, and take their sequences out of the prepared task.

    Args:
        done: what came of the payload; an example that it refused keeps its reason.
        problems: of each example, in the manifest's order; `None` where there is none.
        folder: of the prepared task.
    """
    rows = [row for row, why in enumerate(problems) if why is not None and row not in done.unusable]
    if not rows:
        return
    without(folder / SEQUENCES, done.lengths, rows)
    for row in rows:
        done.unusable[row] = str(problems[row])
        done.lengths[row] = 0
