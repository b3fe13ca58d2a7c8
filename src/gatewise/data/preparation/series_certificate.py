"""The leakage certificate of series: they are split in time, not by group.

A series is in every split, and may be: what is asked of it lies after all that it taught. What may
not be is that another series, or a copy that lags behind, shows the values to come.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from gatewise.artifacts.manifest import Raw
from gatewise.data.preparation import series
from gatewise.data.preparation.certificate import SHOWN, Finding
from gatewise.data.preparation.series import FIRST, ORIGIN, Cut

FEWEST = 4
"""Values of a horizon from which an equal stretch elsewhere is no chance."""


def certify(rows: pd.DataFrame, raw: Raw, cut: Cut) -> list[Finding]:
    """All checks that apply.

    Args:
        rows: `id, group, split` of each window, under its row of the manifest.
        raw: the windows, by `gatewise.data.preparation.series.expand`.
        cut: how they were cut.
    """
    windows = raw.manifest.loc[rows.index, [ORIGIN, FIRST]].join(rows[["id", "group", "split"]])
    return [_time(windows, cut), _horizons(windows, series.read(raw), cut)]


def _time(windows: pd.DataFrame, cut: Cut) -> Finding:
    """Within each series a split ends before the next one's horizon begins."""
    last = windows.groupby(["group", "split"])[ORIGIN].max().unstack("split") + cut.horizon
    begins = windows.groupby(["group", "split"])[ORIGIN].min().unstack("split")
    late = [
        f"{group}: {earlier} reaches value {int(last.loc[group, earlier])}, {later} begins after "
        f"{int(begins.loc[group, later])}"
        for earlier, later in (("train", "validation"), ("validation", "test"))
        if earlier in last and later in begins
        for group in last.index[last[earlier] > begins[later]]
    ]
    claim = "no value that is asked for lies before one that was learnt from, in any series"
    return Finding("time", claim, len(late), tuple(late[:SHOWN]))


def _horizons(windows: pd.DataFrame, values: np.ndarray, cut: Cut) -> Finding:
    """No test horizon stands, value for value, in what another series teaches."""
    claim = "no test horizon stands value for value in the training values of another series"
    if cut.horizon < FEWEST:
        how = f"not looked for: {cut.horizon} equal values may be chance"
        return Finding("horizons", claim, 0, how=how)
    tested = windows[windows["split"] == "test"]
    asked = {
        _key(values[first + origin : first + origin + cut.horizon]): (group, first)
        for group, first, origin in zip(tested["group"], tested[FIRST], tested[ORIGIN], strict=True)
    }
    found = []
    taught = windows[windows["split"] == "train"].groupby([FIRST, "group"])[ORIGIN].max()
    for first, group, origin in taught.reset_index().itertuples(index=False):
        for key in _stretches(values[first : first + origin + cut.horizon], cut.horizon):
            if key in asked and asked[key][1] != first:
                found.append(f"the horizon of {asked[key][0]} stands in {group}")
    return Finding("horizons", claim, len(found), tuple(found[:SHOWN]))


def _stretches(values: np.ndarray, length: int) -> Iterator[bytes]:
    """Keys of all stretches of a length that are not constant."""
    for stretch in np.lib.stride_tricks.sliding_window_view(values, length):
        if stretch[0] != stretch[-1] or np.ptp(stretch):
            yield _key(stretch)


def _key(values: np.ndarray) -> bytes:
    return np.ascontiguousarray(values, dtype="<f8").tobytes()
