"""Sound files to spectra.

Clips are transformed in chunks that follow from the manifest alone, by processes forked from
this one, and written in the manifest's order. So memory stays bounded and the bytes do not
depend on how many workers there were. (Threads would share the interpreter's lock, which
decoding and small tensor calls hold half of the time: two were no faster than one.)
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gatewise.artifacts.manifest import Raw
from gatewise.artifacts.prepared import SEQUENCES
from gatewise.config import LogMel, Mfcc
from gatewise.data.frontends.decoding import Unusable, decode
from gatewise.data.preparation import losses
from gatewise.data.preparation.parallel import in_order, progress
from gatewise.data.preparation.raw_files import read_unchanged
from gatewise.data.preparation.sequence_writer import SequenceWriter
from gatewise.data.preparation.transformed import Transformed

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from gatewise.data.frontends.spectra import FrontEnd

CHUNK_CLIPS = 64
CHUNK_SAMPLES = 2_000_000  # 8 MB of float32 a chunk, however long the clips are


@dataclass
class _Chunk:
    """What came of some clips, one by one."""

    lengths: list[int] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    unusable: dict[int, str] = field(default_factory=dict)
    flaws: list[tuple[int, str]] = field(default_factory=list)
    sequences: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """`(steps, features)`, end to end."""


def transform(raw: Raw, config: LogMel | Mfcc, folder: Path, workers: int) -> Transformed:
    """Write the log-mels or MFCCs of every clip.

    Raises:
        GatewiseError: a file is missing or is not the one that was fetched.
    """
    import torch

    from gatewise.data.frontends.spectra import FrontEnd

    front_end = FrontEnd(config)
    done = Transformed(features=front_end.features, step_seconds=front_end.step_seconds)
    transform_chunk = functools.partial(_transform_chunk, raw, front_end)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the pool is the parallelism
    try:
        with SequenceWriter(folder / SEQUENCES, (front_end.features,), np.float32) as writer:
            chunks = in_order(transform_chunk, chunks_of(raw.manifest), workers)
            for chunk in progress(chunks, len(raw.manifest), "clips", lambda c: len(c.lengths)):
                first = len(done.lengths)
                writer.append(chunk.sequences)
                done.lengths += chunk.lengths
                done.contents += chunk.contents
                done.unusable |= {first + place: why for place, why in chunk.unusable.items()}
                for place, flaw in chunk.flaws:
                    done.flaws.setdefault(flaw, []).append(first + place)
    finally:
        torch.set_num_threads(threads)
    if far := losses.far_longer(done.lengths):
        done.flaws[losses.FAR_LONGER] = far
    return done


def _transform_chunk(raw: Raw, front_end: FrontEnd, rows: list[tuple[str, str]]) -> _Chunk:
    """One chunk, batched by length: a call for many clips costs little more than for one."""
    import torch

    chunk = _Chunk()
    batches: dict[int, list[tuple[int, torch.Tensor]]] = {}
    for place, (path, expected) in enumerate(rows):
        data = read_unchanged(raw.locate(path), expected)
        try:
            clip = decode(data)
            front_end.check_rate(clip.rate)
        except Unusable as reason:
            chunk.unusable[place] = str(reason)
            chunk.contents.append("")
            continue
        chunk.contents.append(clip.content)
        chunk.flaws += [(place, flaw) for flaw in clip.flaws]
        if len(clip.samples) / clip.rate < front_end.shortest_seconds:
            chunk.flaws.append((place, "too short"))
        whole = front_end.wave(clip.samples, clip.rate)
        wave = front_end.fitted(whole)
        chunk.flaws += [(place, loss) for loss in losses.of_clip(clip, whole, wave)]
        batches.setdefault(len(wave), []).append((place, wave))
    parts = [np.zeros((0, front_end.features), np.float32)] * len(rows)
    for batch in batches.values():
        sequences = front_end(torch.stack([wave for _, wave in batch])).numpy()
        for (place, _), sequence in zip(batch, sequences, strict=True):
            parts[place] = sequence
    chunk.lengths = [len(part) for part in parts]
    chunk.sequences = np.concatenate(parts)
    return chunk


def chunks_of(manifest: pd.DataFrame) -> Iterator[list[tuple[str, str]]]:
    """Rows `(path, sha256)` to transform together; a function of the manifest alone."""
    chunk: list[tuple[str, str]] = []
    samples = 0
    for path, content, length in zip(
        manifest["path"], manifest["sha256"], manifest["n_samples"], strict=True
    ):
        if chunk and (len(chunk) == CHUNK_CLIPS or samples + length > CHUNK_SAMPLES):
            yield chunk
            chunk, samples = [], 0
        chunk.append((path, content))
        samples += length
    yield chunk
