"""Images to sequences of pixels.

As sounds are, images are transformed in chunks that follow from the manifest alone, by processes
forked from this one, and written in the manifest's order.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gatewise.artifacts.manifest import IMAGES, Raw
from gatewise.artifacts.prepared import SEQUENCES
from gatewise.config import Pixels
from gatewise.data.frontends import images
from gatewise.data.frontends.decoding import Unusable
from gatewise.data.frontends.images import Picture
from gatewise.data.preparation.parallel import in_order, progress
from gatewise.data.preparation.raw_files import read_unchanged
from gatewise.data.preparation.sequence_writer import SequenceWriter
from gatewise.data.preparation.transformed import Transformed
from gatewise.errors import GatewiseError
from gatewise.files import reading

CHUNK_IMAGES = 256
CHUNK_PIXELS = 2_000_000
"""Of one chunk, unless one image alone has more."""


class Row(NamedTuple):
    """Where one image lies."""

    number: int
    """Of its row in the manifest."""
    path: str
    """Of its file; empty where it is in `images.npy`."""
    sha256: str


@dataclass
class _Chunk:
    """What came of some images, one by one."""

    sequences: list[np.ndarray] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    unusable: dict[int, str] = field(default_factory=dict)
    flaws: list[tuple[int, str]] = field(default_factory=list)


def transform(raw: Raw, config: Pixels, folder: Path, workers: int) -> Transformed:
    """Write the pixels of every image as a sequence.

    Raises:
        GatewiseError: a file is missing or is not the one that was fetched.
    """
    done = Transformed(features=config.features)
    work = functools.partial(_transform_chunk, Reader(raw), config)
    with SequenceWriter(folder / SEQUENCES, (config.features,), np.uint8) as writer:
        chunks = in_order(work, chunks_of(raw), workers)
        for chunk in progress(chunks, len(raw.manifest), "images", lambda c: len(c.contents)):
            for sequence in chunk.sequences:
                writer.append(sequence)
                done.lengths.append(len(sequence))
            done.contents += chunk.contents
            done.unusable |= chunk.unusable
            for row, flaw in chunk.flaws:
                done.flaws.setdefault(flaw, []).append(row)
    return done


class Reader:
    """The images of a raw folder, by rows of its manifest."""

    def __init__(self, raw: Raw) -> None:
        """Open `raw`.

        Raises:
            GatewiseError: its images do not fit its manifest.
        """
        self._raw = raw
        self._together = None if raw.manifest["path"].all() else _together(raw)

    def picture(self, row: Row) -> Picture:
        """One image.

        Raises:
            Unusable: it cannot be decoded.
            GatewiseError: its file is missing or has changed.
        """
        if row.path:
            return images.decode(read_unchanged(self._raw.locate(row.path), row.sha256))
        assert self._together is not None  # noqa: S101  # opened where a row has no file
        return images.checked(self._together[row.number])

    def pictures(self, numbers: np.ndarray) -> Iterator[Picture]:
        """Images by the numbers of their rows, as `picture` gives them."""
        manifest = self._raw.manifest
        for number in numbers.tolist():
            path, content = manifest["path"].iloc[number], manifest["sha256"].iloc[number]
            yield self.picture(Row(number, path, content))


def chunks_of(raw: Raw) -> Iterator[list[Row]]:
    """Rows to transform together; a function of the manifest alone."""
    chunk: list[Row] = []
    pixels = 0
    columns = (raw.manifest[name] for name in ("path", "sha256", "n_samples"))
    for number, (path, content, count) in enumerate(zip(*columns, strict=True)):
        if chunk and (len(chunk) == CHUNK_IMAGES or pixels + count > CHUNK_PIXELS):
            yield chunk
            chunk, pixels = [], 0
        chunk.append(Row(number, path, content))
        pixels += count
    yield chunk


def _transform_chunk(reader: Reader, config: Pixels, rows: list[Row]) -> _Chunk:
    chunk = _Chunk()
    for row in rows:
        try:
            picture = reader.picture(row)
        except Unusable as reason:
            chunk.unusable[row.number] = str(reason)
            chunk.contents.append("")
            chunk.sequences.append(np.zeros((0, config.features), np.uint8))
            continue
        chunk.contents.append(picture.content)
        chunk.sequences.append(images.sequence(picture, config))
        chunk.flaws += [(row.number, flaw) for flaw in picture.flaws(config.height, config.width)]
    return chunk


def _together(raw: Raw) -> np.ndarray:
    """Images that lie in one file, uint8 `(rows, height, width, channels)`, memory-mapped."""
    path = raw.folder / IMAGES
    try:
        with reading(path, "run `dvc repro -f fetch`"):
            pixels: np.ndarray = np.load(path, mmap_mode="r")
            if pixels.ndim != 4 or pixels.dtype != np.uint8:
                raise ValueError(
                    f"{pixels.dtype} {pixels.shape} in place of uint8 (rows, height, width, "
                    "channels)"
                )
    except FileNotFoundError:
        raise GatewiseError(f"{path}: missing; run `dvc repro -f fetch`") from None
    if len(pixels) != len(raw.manifest):
        raise GatewiseError(
            f"{path} has {len(pixels)} images, the manifest {len(raw.manifest)} rows; "
            "run `dvc repro -f fetch`"
        )
    return pixels
