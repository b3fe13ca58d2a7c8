"""Settings that are tried on a set: by hand, by the rules, by the rules with other constants."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from unittest import mock

from benchmarks.rules.sets import SECTIONS, Hand
from gatewise import config
from gatewise.config import Study
from gatewise.data.understanding import Understanding
from gatewise.repro.studies import learning, proposal
from gatewise.repro.studies.choices import plain
from gatewise.repro.studies.timing import Pace

CELLS = ("lstm", "gru")
ENOUGH = 1_000_000.0
"""Minutes, so that no run is shortened: how much fits into ten hangs on the machine."""


@dataclass(frozen=True)
class Point:
    """The rules with some of their constants changed."""

    name: str
    constants: Mapping[str, float] = field(default_factory=dict)
    """Of `gatewise.repro.studies.learning`, by name."""


RULES = Point("the rules")


def _times(**factors: float) -> dict[str, float]:
    """Constants of the rules times a factor each; those that are counts stay so."""
    values = {name: getattr(learning, name) * factor for name, factor in factors.items()}
    return {
        name: round(value) if isinstance(getattr(learning, name), int) else value
        for name, value in values.items()
    }


GRID = (
    RULES,
    Point("passes x 0.6", _times(SEEN=0.6, SEEN_FOR_A_LABEL=0.6)),
    Point("passes x 1.6", _times(SEEN=1.6, SEEN_FOR_A_LABEL=1.6)),
    Point("rate x 0.6", _times(RATE=0.6)),
    Point("rate x 1.5", _times(RATE=1.5)),
    Point("rate by the root", {"GROWTH": 0.5}),
    Point("clips with 64 units", {"UNITS_OF_CLIPS": 64}),
    Point("texts with 96 units", {"UNITS_OF_TEXTS": 96}),
    Point("dropout x 0.5", _times(DROPOUT_OF_CLIPS=0.5, DROPOUT_OF_TEXTS=0.5)),
    Point("dropout x 1.5", _times(DROPOUT_OF_CLIPS=1.5, DROPOUT_OF_TEXTS=1.5)),
)
"""One constant changed at a time."""


@contextlib.contextmanager
def _with(constants: Mapping[str, float]) -> Iterator[None]:
    with mock.patch.multiple(learning, **constants) if constants else contextlib.nullcontext():
        yield


def by_rules(data: Understanding, point: Point = RULES) -> Study:
    """The study that a bare `gatewise new` writes, as long as it is to be."""

    def timer(*_: object) -> Pace:
        return Pace(0.001, 1)

    with _with(point.constants):
        return proposal.propose(data, ENOUGH, timer=timer).study


def by_hand(data: Understanding, hand: Hand) -> Study:
    """The study with what was set by hand, on the source, split and metric of the rules."""

    def timer(*_: object) -> Pace:
        return Pace(0.001, 1)

    written = plain(proposal.propose(data, ENOUGH, timer=timer).sections)
    written["tasks"][data.name] = {
        **{key: own for key, own in written["tasks"][data.name].items() if key not in SECTIONS},
        **hand.task,
    }
    written["train"] = dict(hand.train)
    written["variants"] = {cell: {"cell": cell, "hidden": hand.hidden} for cell in CELLS}
    written["compare"] = {}
    return config.parse(written, origin="settings by hand")
