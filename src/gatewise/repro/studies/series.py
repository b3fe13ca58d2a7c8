"""Rules for series: windows of history, each with the horizon that follows."""

from __future__ import annotations

import math

from gatewise.data.understanding import Understanding
from gatewise.data.understanding.record import Steps as Asked
from gatewise.repro.studies.choices import Chosen
from gatewise.repro.studies.sizes import SplitSizes
from gatewise.repro.studies.work import Steps, Work, passes

SEEN = 150_000
"""Windows that a run sees in all of its epochs."""
EPOCHS = (4, 60)
BATCHES = {0: 16, 500: 32, 2_000: 64, 8_000: 128}
MOST_WINDOWS = 25_000
"""Windows that train, beyond which they begin farther apart."""
HISTORY = (12, 120)
"""Fewest and most steps of history."""
SEASONS = 3
"""Seasons that history holds, if that is within its bounds."""
QUANTILES = 3
WIDTH = 64


def work(data: Understanding, asked: Asked) -> Work:
    """What the rules choose.

    Args:
        data: what was understood.
        asked: season and horizon.
    """
    history = min(max(SEASONS * asked.season, asked.horizon, HISTORY[0]), HISTORY[1])
    usable = data.lengths - 3 * asked.horizon
    origins = float(usable.clip(min=0).sum())
    stride = max(1, math.ceil(origins / MOST_WINDOWS))
    windows = max(1, round(origins / stride))
    unusable = sum(data.unusable.values())
    tested = data.examples - unusable
    again = f"repeat after {asked.season} steps" if asked.season > 1 else "without a season"
    return Work(
        metric=Chosen("mase", "errors in units of the seasonal naive forecast's"),
        objective={
            "kind": Chosen("forecast"),
            "horizon": Chosen(asked.horizon, f"steps of a {asked.unit}; the last ones test"),
            "season": Chosen(asked.season, f"a value every {asked.unit}: series {again}"),
        },
        features={
            "kind": Chosen("series"),
            "history": Chosen(history, "steps that a model sees before the horizon, at most"),
            "stride": Chosen(stride, f"steps between training windows: {windows:,} of them"),
        },
        model={"pooling": Chosen("last", "what was seen last counts most")},
        sizes=SplitSizes(windows, tested, tested),
        passes=passes(windows, SEEN, EPOCHS, BATCHES),
        steps=Steps(history, asked.horizon * QUANTILES, features=4),
        width=Chosen(WIDTH, "units"),
        train={"average_last": Chosen(3, "epochs whose weights are averaged: series are noisy")},
        examples=f"{data.examples:,} series",
    )
