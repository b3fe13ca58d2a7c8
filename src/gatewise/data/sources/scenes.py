"""Scenes of one or two real handwritten digits in colour, with every caption that is right."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import Example, SourceCard
from gatewise.config import SourceOptions
from gatewise.data.frontends.images import averaged
from gatewise.data.sources import _handwriting
from gatewise.data.sources._handwriting import NAMES, Digits

SIDE = 36
"""Pixels of a scene's height and width."""
MARGIN = 4
"""Pixels around each source digit that MNIST leaves empty."""
SIZES = {"small": 13, "large": 18}
"""Pixels of a digit's height and width; two large ones fit beside each other."""
COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (230, 40, 40),
    "green": (50, 200, 60),
    "blue": (60, 90, 240),
    "yellow": (230, 220, 50),
    "purple": (170, 60, 210),
    "white": (235, 235, 235),
}
SHADE = 20
"""Most that each channel of a digit differs from its colour's."""
POOLS = 100
"""Sets that the source digits are cut into: the groups, so that no digit is in two splits."""
PIXELS = SIDE * SIDE


@dataclass(frozen=True)
class Thing:
    """One digit in a scene."""

    source: int
    """Row of its image."""
    digit: str
    colour: str
    size: str
    top: int
    left: int


class Source(SourceOptions):
    """Scenes of 36 x 36 pixels with one or two handwritten digits (MNIST), none over another.

    A caption names each digit with its colour, in any order, with its size or without: all of them
    are right, and stand in the data. The source digits are cut into a hundred sets, a scene takes
    its digits from one of them, and that is its group. Digits are real, scenes and captions made
    by a program.
    """

    pinned: ClassVar[bool] = True
    objective: ClassVar[Mapping[str, Any]] = MappingProxyType({"kind": "generate"})
    card: ClassVar[SourceCard] = SourceCard(
        payload="image",
        title="Scenes that a program made of real handwritten digits, with captions it made too",
        synthetic=True,
        licence=f"scenes and captions generated here; digits: {_handwriting.LICENCE}",
        citation=_handwriting.CITATION,
        homepage=_handwriting.HOMEPAGE,
    )
    size: ClassVar[str] = "15,000 scenes, 58 MB; downloads 1 MB"
    needs: ClassVar[str] = "the network once (pip), or its cache"

    kind: Literal["scenes"]
    scenes: Annotated[int, Field(ge=POOLS, le=1_000_000)] = 15_000
    """How many; more scenes add to the first ones and change none."""
    seed: int = Field(default=0, ge=0)
    """Seed of what stands where."""

    def fetch(self, target: Path) -> None:
        """Write scenes and manifest into `target`."""
        digits = _handwriting.read()
        rows, images = [], np.zeros((self.scenes, SIDE, SIDE, 3), np.uint8)
        for image, (name, pool, things, draw) in zip(images, self._plan(digits), strict=True):
            _paint(image, digits, things, draw)
            rows.append(
                Example(
                    id=name,
                    label="\n".join(captions(things)),
                    group=pool,
                    n_samples=PIXELS,
                    sha256=hashlib.sha256(image.tobytes()).hexdigest(),
                )
            )
        np.save(target / manifest.IMAGES, images)
        manifest.write(target, self.card, rows)

    def _plan(self, digits: Digits) -> Iterator[tuple[str, str, list[Thing], np.random.Generator]]:
        """Id, group and things of each scene, and what draws its shades."""
        pools = _pools(digits)
        for number in range(self.scenes):
            place, pool = divmod(number, POOLS)
            name = f"set-{pool}/{place}"
            entropy = hashlib.sha256(f"scenes/{self.seed}/{name}".encode()).digest()
            draw = np.random.default_rng(int.from_bytes(entropy))
            yield name, f"set-{pool}", _things(draw, digits, pools[pool]), draw


def captions(things: list[Thing]) -> list[str]:
    """All ways to say what is there, the usual one first: in reading order, without sizes."""
    return list(
        dict.fromkeys(
            " and ".join(spoken)
            for order in itertools.permutations(things)
            for spoken in itertools.product(
                *((f"a {x.colour} {x.digit}", f"a {x.size} {x.colour} {x.digit}") for x in order)
            )
        )
    )


def _pools(digits: Digits) -> list[np.ndarray]:
    """Rows of the source digits in each set: equally many of each digit, neighbours together."""
    counts = np.bincount(digits.digits, minlength=len(NAMES))
    pool = digits.places() * POOLS // np.maximum(counts, 1)[digits.digits]
    return [np.flatnonzero(pool == number) for number in range(POOLS)]


def _things(draw: np.random.Generator, digits: Digits, pool: np.ndarray) -> list[Thing]:
    """One or two digits of a set, in reading order."""
    count = int(draw.integers(1, 3))
    sources = draw.choice(pool, count, replace=False).tolist()
    sizes = [list(SIZES)[k] for k in draw.integers(len(SIZES), size=count)]
    colours = [list(COLOURS)[k] for k in draw.integers(len(COLOURS), size=count)]
    places = _places(draw, [SIZES[size] for size in sizes])
    return [
        Thing(source, NAMES[digits.digits[source]], colour, size, top, left)
        for source, colour, size, (top, left) in zip(sources, colours, sizes, places, strict=True)
    ]


def _places(draw: np.random.Generator, sides: list[int]) -> list[tuple[int, int]]:
    """Top and left of each thing, one after the other along an axis and anywhere on the other."""
    along: list[int] = []
    free, end = SIDE - sum(sides), 0
    for side in sides:
        gap = int(draw.integers(free + 1))
        free -= gap
        along.append(end + gap)
        end += gap + side
    across = [int(draw.integers(SIDE - side + 1)) for side in sides]
    below = bool(draw.integers(2))
    pairs = zip(along, across, strict=True)
    return [(a, b) if below else (b, a) for a, b in pairs]


def _paint(
    image: np.ndarray, digits: Digits, things: list[Thing], draw: np.random.Generator
) -> None:
    """Put things on a black image, uint8 `(SIDE, SIDE, 3)`; the ink says how much colour."""
    for thing in things:
        ink = digits.pixels[thing.source, MARGIN:-MARGIN, MARGIN:-MARGIN, None]
        side = SIZES[thing.size]
        small = averaged(ink, side, side).astype(np.int64)
        colour = np.array(COLOURS[thing.colour]) + draw.integers(-SHADE, SHADE + 1, 3)
        painted = small * colour.clip(0, 255) // 255
        image[thing.top : thing.top + side, thing.left : thing.left + side] = painted
