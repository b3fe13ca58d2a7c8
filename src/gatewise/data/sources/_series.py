"""What sources of series share: writing them, and reading times."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import Example, SourceCard
from gatewise.errors import GatewiseError

LABEL = "series"
"""What stands in the manifest where other data have a label."""
FREQUENCIES = {
    "Y": "year",
    "Q": "quarter",
    "M": "month",
    "W": "week",
    "D": "day",
    "h": "hour",
    "min": "minute",
    "s": "second",
}
"""Of pandas, from long to short: the first that tells all times of a series apart is its own."""
LONGEST = 10_000_000
"""Steps that a series may span; farther apart, a slip in a date would fill the memory."""


def write(target: Path, card: SourceCard, series: Iterable[tuple[str, np.ndarray]]) -> None:
    """Write named series, `(values,)` each, with a manifest."""
    rows, parts = [], []
    for name, values in series:
        part = np.ascontiguousarray(values, dtype="<f8")
        digest = hashlib.sha256(part.tobytes()).hexdigest()
        rows.append(Example(id=name, label=LABEL, group=name, n_samples=len(part), sha256=digest))
        parts.append(part)
    np.save(target / manifest.SERIES, np.concatenate(parts) if parts else np.zeros(0))
    manifest.write(target, card, rows)


def value(text: str, where: str) -> float:
    """A value as a number; NaN where it is missing.

    Raises:
        GatewiseError: it is none.
    """
    if text.strip() == "":
        return math.nan
    try:
        return float(text)
    except ValueError:
        raise GatewiseError(f"{where}: {text!r} is no number") from None


def regular(name: str, times: Sequence[str], values: np.ndarray) -> np.ndarray:
    """A series in the order of its times, with NaN for every step that is missing.

    Args:
        name: of the series, for messages.
        times: of each value: dates, or numbers that count steps.
        values: `(values,)`.

    Raises:
        GatewiseError: times cannot be read, stand twice, or are not multiples of one step.
    """
    if len(values) == 1:
        return values
    places, unit = _places(name, times)
    order = np.argsort(places, kind="stable")
    apart = np.diff(places[order])
    if not apart.all():
        twice = times[order[int(np.flatnonzero(apart == 0)[0])]]
        raise GatewiseError(f"series {name}: two values for {twice}; keep one of them")
    step = int(apart.min())
    odd = np.flatnonzero(apart % step)
    if len(odd):
        before, after = (times[order[int(odd[0]) + k]] for k in (0, 1))
        raise GatewiseError(
            f"series {name}: irregular; most values are {step} {unit}{'s' * (step != 1)} apart, "
            f"but {after} follows {before}; bring the series to one step first"
        )
    steps = (places[order] - places[order[0]]) // step
    if steps[-1] >= LONGEST:
        raise GatewiseError(
            f"series {name}: from {times[order[0]]} to {times[order[-1]]} are {int(steps[-1]):,} "
            f"steps; at most {LONGEST:,} are taken"
        )
    filled = np.full(int(steps[-1]) + 1, np.nan)
    filled[steps] = values[order]
    return filled


def step(name: str, times: Sequence[str]) -> tuple[str, int]:
    """The shortest step between times, as a unit in words and how many of them.

    Raises:
        GatewiseError: times cannot be read.
    """
    places, unit = _places(name, times)
    apart = np.diff(np.unique(places))
    return unit, int(apart.min()) if len(apart) else 1


def _places(name: str, times: Sequence[str]) -> tuple[np.ndarray, str]:
    """Times as whole numbers of some unit, int64, and that unit in words."""
    try:
        return np.array([int(time) for time in times], dtype=np.int64), "step"
    except (ValueError, OverflowError):
        pass
    import pandas as pd

    try:
        read = pd.DatetimeIndex(pd.to_datetime(list(times), format="mixed", utc=True))
    except (ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:100]
        raise GatewiseError(
            f"series {name}: a time is neither a date nor a whole number ({reason})"
        ) from None
    read = read.tz_localize(None)
    if read.hasnans:
        raise GatewiseError(f"series {name}: a time is missing")
    distinct = len(set(times))
    for frequency, unit in FREQUENCIES.items():
        periods = read.to_period(frequency)
        if periods.nunique() == distinct:
            return periods.astype("int64").to_numpy(), unit
    return read.as_unit("ns").astype("int64").to_numpy(), "nanosecond"
