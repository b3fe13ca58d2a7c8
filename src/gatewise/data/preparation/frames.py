"""Feature frames that a source ships ready-made."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gatewise.artifacts.manifest import FRAMES, Raw
from gatewise.artifacts.prepared import SEQUENCES
from gatewise.data.preparation.sequence_writer import SequenceWriter
from gatewise.data.preparation.transformed import Transformed
from gatewise.errors import GatewiseError
from gatewise.files import reading


def transform(raw: Raw, folder: Path) -> Transformed:
    """Copy frames that the source ships.

    Raises:
        GatewiseError: the file is missing or has another length than the manifest says.
    """
    path = raw.folder / FRAMES
    try:
        with reading(path, "run `dvc repro -f fetch`"):
            values = np.load(path, mmap_mode="r")
            if values.ndim != 2:
                raise ValueError(f"shape {values.shape} in place of (steps, features)")
    except FileNotFoundError:
        raise GatewiseError(f"{path}: missing; run `dvc repro -f fetch`") from None
    counts = raw.manifest["n_samples"].to_numpy()
    if counts.sum() != len(values):
        raise GatewiseError(
            f"{path} has {len(values)} frames, the manifest counts {counts.sum()}; "
            "run `dvc repro -f fetch`"
        )
    done = Transformed(features=int(values.shape[1]), step_seconds=raw.card.step_seconds)
    ends = np.cumsum(counts)
    with SequenceWriter(folder / SEQUENCES, values.shape[1:], np.float32) as writer:
        for row, (count, end) in enumerate(zip(counts.tolist(), ends.tolist(), strict=True)):
            sequence = values[end - count : end]
            if count == 0:
                done.unusable[row] = "no frames"
            elif not np.isfinite(sequence).all():
                done.unusable[row] = "frames that are not finite numbers"
            used = sequence if row not in done.unusable else sequence[:0]
            writer.append(used)
            done.lengths.append(len(used))
    done.contents = raw.manifest["sha256"].tolist()
    return done
