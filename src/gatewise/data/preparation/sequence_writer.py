"""Writing `sequences.npy` piece by piece, so that memory does not grow with the data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np


class SequenceWriter:
    """An `.npy` file that grows along its first axis.

    The format pads its header so that the length can be filled in at the end.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: Any) -> None:
        """Open `path`; `shape` is that of one step, e.g. `(features,)`, or `()` for tokens."""
        self._file = path.open("wb")
        self._shape, self._dtype = shape, np.dtype(dtype)
        self._steps = 0
        self._header = self._write_header()

    def _write_header(self) -> int:
        self._file.seek(0)
        description = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self._steps, *self._shape),
        }
        np.lib.format.write_array_header_1_0(self._file, description)
        return self._file.tell()

    def append(self, steps: np.ndarray) -> None:
        """Add `(steps, ...)` at the end."""
        self._file.write(np.ascontiguousarray(steps, dtype=self._dtype).data)
        self._steps += len(steps)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None and self._write_header() != self._header:
                raise AssertionError("the .npy header grew over the first steps")
        finally:
            self._file.close()


def without(path: Path, lengths: Sequence[int], rows: Sequence[int]) -> None:
    """Take the sequences of some rows out of a file again.

    Args:
        path: written by `SequenceWriter`.
        lengths: steps of each sequence in it.
        rows: which to take out.
    """
    kept = path.with_name(f"{path.name}.whole")
    path.rename(kept)
    whole, start = np.load(kept, mmap_mode="r"), 0
    left_out = set(rows)
    with SequenceWriter(path, whole.shape[1:], whole.dtype) as writer:
        for row, length in enumerate(lengths):
            if row not in left_out:
                writer.append(whole[start : start + length])
            start += length
    del whole
    kept.unlink()
