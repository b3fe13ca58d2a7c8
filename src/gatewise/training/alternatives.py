"""Which of several right answers is learnt, where an example has more than one."""

from __future__ import annotations

import numpy as np

from gatewise import streams
from gatewise.artifacts.objectives.base import OTHERWISE
from gatewise.artifacts.prepared import TARGET_COLUMNS, Prepared, pad


class Alternatives:
    """Right answers of a prepared task, one drawn for each example and epoch.

    The draw hangs on the seed, the epoch and the example, and on nothing else: not on the batch
    that it comes in, nor on the variant.
    """

    def __init__(self, prepared: Prepared, seed: int) -> None:
        """Find the answers of each row.

        Args:
            prepared: a task whose targets are symbols, answers separated by `OTHERWISE`.
            seed: of the draws.
        """
        assert prepared.targets is not None  # noqa: S101  # symbols are no classes
        self.values, self.seed = prepared.targets, seed
        starts, lengths = (prepared.index[column].to_numpy(np.int64) for column in TARGET_COLUMNS)
        self._begins, self._ends = starts, starts + lengths
        self._between = np.flatnonzero(np.asarray(prepared.targets) == OTHERWISE)
        self._first, last = (np.searchsorted(self._between, at) for at in (starts, self._ends))
        self.counts = last - self._first + 1
        """Answers of each row of the index."""
        self._drawn: tuple[int, np.ndarray] | None = None

    def of(self, rows: np.ndarray, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Those that `epoch` shows: symbols `(rows, longest)` padded with zeros, and lengths."""
        starts, lengths = self.places(rows, self._choices(epoch)[rows])
        return pad(self.values, starts, lengths).astype(np.int64), lengths

    def first_lengths(self) -> np.ndarray:
        """Symbols of each row's first answer."""
        rows = np.arange(len(self.counts))
        return self.places(rows, np.zeros_like(rows))[1]

    def longest(self, rows: np.ndarray) -> int:
        """Symbols of the longest of all answers of some rows."""
        each = np.repeat(rows, self.counts[rows])
        which = np.arange(len(each)) - np.repeat(
            np.cumsum(self.counts[rows]) - self.counts[rows], self.counts[rows]
        )
        return int(self.places(each, which)[1].max())

    def places(self, rows: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where answers `which` of `rows` begin in the targets, and their lengths."""
        # One place more at either end, so that every look-up finds something; `where` drops it.
        bounds = np.concatenate([[0], self._between, [0]])
        before = bounds[self._first[rows] + which] + 1
        after = bounds[self._first[rows] + which + 1]
        starts = np.where(which == 0, self._begins[rows], before)
        ends = np.where(which == self.counts[rows] - 1, self._ends[rows], after)
        return starts, ends - starts

    def _choices(self, epoch: int) -> np.ndarray:
        """Of every row of the index in `epoch`, whichever batch it comes in."""
        if self._drawn is None or self._drawn[0] != epoch:
            draws = streams.generator(self.seed, "alternatives", epoch).random(len(self.counts))
            self._drawn = epoch, (draws * self.counts).astype(np.int64)
        return self._drawn[1]
