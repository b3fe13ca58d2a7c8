"""Series of values: windows of history, each with the horizon that follows it.

The last horizon of each series tests, the one before it validates, and windows that end earlier
train: what a split teaches lies before what the next one asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from gatewise.artifacts.manifest import SERIES, Raw
from gatewise.artifacts.objectives.forecast import Objective
from gatewise.artifacts.prepared import SEQUENCES, TARGETS
from gatewise.config import ObjectiveOptions, Series
from gatewise.data.frontends import windows
from gatewise.data.frontends.windows import History
from gatewise.data.preparation.sequence_writer import SequenceWriter
from gatewise.data.preparation.transformed import Transformed
from gatewise.errors import GatewiseError
from gatewise.files import reading

ORIGIN, FIRST = "origin", "first"
"""Columns that a manifest of windows has beside the usual ones: values before the horizon (0 where
the series cannot be used), and where its series begins among all values."""


@dataclass(frozen=True)
class Cut:
    """How series are cut into windows."""

    history: int
    stride: int
    horizon: int
    season: int

    @classmethod
    def of(cls, features: Series, objective: ObjectiveOptions) -> Cut:
        """By the settings of a task, whose objective is a forecast."""
        assert isinstance(objective, Objective)  # noqa: S101  # no other takes such features
        return cls(features.history, features.stride, objective.horizon, objective.season)

    @property
    def shortest(self) -> int:
        """Fewest values of a series of which one window can validate and one test."""
        return windows.shortest(self.season) + 2 * self.horizon

    def origins(self, history: History) -> Iterator[tuple[int, str]]:
        """Values before each horizon of a series, and the split of that window, the first first.

        Windows that train are counted from the beginning, so that values added later move none.
        """
        validated = len(history.values) - 2 * self.horizon
        trained = range(self.stride, validated - self.horizon + 1, self.stride)
        yield from ((origin, "train") for origin in trained if history.problem(origin) is None)
        yield validated, "validation"
        yield validated + self.horizon, "test"

    def problem(self, values: np.ndarray) -> str | None:
        """Why a series cannot be used; `None` if it can."""
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            return f"value {int(bad[0]) + 1} is missing or no finite number"
        if len(values) < self.shortest:
            return (
                f"{len(values)} value{'s' * (len(values) != 1)}; with a horizon of {self.horizon} "
                f"and a season of {self.season} at least {self.shortest} are needed to validate "
                "and test"
            )
        # What validates has to have moved, and then all that comes later has.
        return History(values, self.season).problem(len(values) - 2 * self.horizon)


def expand(raw: Raw, cut: Cut) -> Raw:
    """The set of windows, one row each, in place of that of series.

    A series that cannot be used stays one row, of origin 0, for `transform` to refuse.

    Raises:
        GatewiseError: none of them can be used.
    """
    values = read(raw)
    columns = ["id", "group", "split", ORIGIN, FIRST, "sha256"]
    bad: list[str] = []
    rows, first = [], 0
    for name, length in zip(raw.manifest["id"], raw.manifest["n_samples"], strict=True):
        own = values[first : first + length]
        if (why := cut.problem(own)) is not None:
            bad.append(f"{name}: {why}")
            rows.append((name, name, "train", 0, first, _digest(own)))
        else:
            for origin, split in cut.origins(History(own, cut.season)):
                content = _digest(own[max(0, origin - cut.history) : origin + cut.horizon])
                rows.append((f"{name}@{origin}", name, split, origin, first, content))
        first += length
    if len(bad) == len(rows):
        raise GatewiseError(f"{bad[0]}; none of {len(bad)} series can be used")
    table = pd.DataFrame(rows, columns=columns)
    label = str(raw.manifest["label"].iloc[0])
    whole = table.assign(path="", label=label, n_samples=table[ORIGIN], sample_rate=0)
    return replace(raw, manifest=whole)


def transform(raw: Raw, cut: Cut, folder: Path) -> Transformed:
    """Sequences and targets of the windows of `expand`."""
    values = read(raw)
    done = Transformed(features=windows.FEATURES)
    ends = _ends(raw, len(values))
    history: tuple[int, History] | None = None
    with (
        SequenceWriter(folder / SEQUENCES, (windows.FEATURES,), np.float32) as sequences,
        SequenceWriter(folder / TARGETS, (Objective.target_width,), np.float32) as targets,
    ):
        rows = zip(raw.manifest[FIRST], raw.manifest[ORIGIN], strict=True)
        for row, (first, origin) in enumerate(rows):
            own = values[first : ends[first]]
            if origin == 0:
                done.unusable[row] = cut.problem(own) or "cannot be cut into windows"
                done.lengths.append(0)
                done.target_lengths.append(0)
                continue
            if history is None or history[0] != first:
                history = first, History(own, cut.season)
            made = history[1].window(origin, cut.history, cut.horizon)
            sequences.append(made.sequence)
            targets.append(made.target(own[origin : origin + cut.horizon]))
            done.lengths.append(len(made.sequence))
            done.target_lengths.append(cut.horizon)
    done.contents = raw.manifest["sha256"].tolist()
    return done


def histories(raw: Raw, ids: Iterable[str]) -> Iterator[np.ndarray]:
    """All values before the horizon of windows, by the ids that `expand` gives them."""
    values = read(raw)
    ends = dict(zip(raw.manifest["id"], raw.manifest["n_samples"].cumsum(), strict=True))
    lengths = dict(zip(raw.manifest["id"], raw.manifest["n_samples"], strict=True))
    for window in ids:
        name, _, origin = window.rpartition("@")
        first = ends[name] - lengths[name]
        yield np.asarray(values[first : first + int(origin)])


def read(raw: Raw) -> np.ndarray:
    """All values, series end to end, float64 `(values,)`, memory-mapped.

    Raises:
        GatewiseError: the file is missing.
    """
    path = raw.folder / SERIES
    try:
        with reading(path, "run `dvc repro -f fetch`"):
            values: np.ndarray = np.load(path, mmap_mode="r")
            if values.ndim != 1:
                raise ValueError(f"shape {values.shape} in place of (values,)")
    except FileNotFoundError:
        raise GatewiseError(f"{path}: missing; run `dvc repro -f fetch`") from None
    return values


def _ends(raw: Raw, total: int) -> dict[int, int]:
    """Where each series ends, by where it begins."""
    begins = np.unique(raw.manifest[FIRST].to_numpy()).tolist()
    return dict(zip(begins, [*begins[1:], total], strict=True))


def _digest(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values, dtype="<f8").tobytes()).hexdigest()
