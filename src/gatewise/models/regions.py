"""Regions of an image as the steps of a sequence: a small convolutional network.

Every variant has the same one, from the same seed: what differs between variants is what reads its
regions. It is made of products of patches with matrices (`Linear`), which are the same to the last
bit on any processor; a library's convolutions are not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gatewise.models.linear import Linear


@dataclass(frozen=True)
class Regions:
    """The network for images of one size, on paper.

    Each layer halves height and width (3 x 3 patches, two pixels apart, ReLU), until neither is
    more than `SIDE`: the first has 16 features, each next one twice as many, up to 64.
    """

    SIDE: ClassVar[int] = 6
    FIRST: ClassVar[int] = 16
    MOST: ClassVar[int] = 64
    PATCH: ClassVar[int] = 3

    height: int
    """Pixels."""
    width: int
    channels: int

    @classmethod
    def of(cls, front_end: Mapping[str, Any]) -> Regions | None:
        """Those that a task's settings ask for; none unless images are read so."""
        if front_end.get("scan") != "regions":
            return None
        return cls(front_end["height"], front_end["width"], front_end["channels"])

    @property
    def layers(self) -> int:
        """How many; one at least."""
        return max(1, math.ceil(math.log2(max(self.height, self.width) / self.SIDE)))

    @property
    def grids(self) -> list[tuple[int, int]]:
        """Height and width behind each layer."""
        return [
            (-(-self.height // 2**depth), -(-self.width // 2**depth))
            for depth in range(1, self.layers + 1)
        ]

    @property
    def count(self) -> int:
        """Regions of an image: steps that a recurrence sees."""
        rows, columns = self.grids[-1]
        return rows * columns

    @property
    def numbers(self) -> int:
        """Numbers that an image becomes: those of all regions."""
        return self.count * self.features

    @property
    def widths(self) -> list[int]:
        """Features of the image, and behind each layer."""
        return [self.channels, *(min(self.FIRST << k, self.MOST) for k in range(self.layers))]

    @property
    def features(self) -> int:
        """Of each region."""
        return self.widths[-1]

    @property
    def parameters(self) -> int:
        """Trainable parameters: layers, and what says where each region lies."""
        return sum((into + 1) * out for into, out in self.shapes) + self.numbers

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one image."""
        cells = (rows * columns for rows, columns in self.grids)
        return sum(n * into * out for n, (into, out) in zip(cells, self.shapes, strict=True))

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Numbers into and out of each layer at each place."""
        return [(self.PATCH**2 * into, out) for into, out in itertools.pairwise(self.widths)]


class RegionEncoder(nn.Module):
    """Rows of pixels to vectors of regions, in reading order.

    Each has a vector of its own place added, as words have in a transformer (Gehring et al. 2017):
    a decoder that knows where something lies can then look there.
    """

    def __init__(self, regions: Regions) -> None:
        super().__init__()
        self.regions = regions
        self.layers = nn.ModuleList(Linear(into, out) for into, out in regions.shapes)
        for layer in self.layers:
            assert isinstance(layer, Linear)  # noqa: S101  # made just above
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        self.places = nn.Parameter(torch.zeros(regions.count, 1, regions.features))

    def forward(self, x_tbf: Tensor) -> Tensor:
        """`(height, batch, width * channels)` to `(regions, batch, features)`."""
        of = self.regions
        x_bhwc = x_tbf.transpose(0, 1).reshape(-1, of.height, of.width, of.channels)
        for layer in self.layers:
            x_bhwc = torch.relu(layer(_patches(x_bhwc, of.PATCH)))
        return x_bhwc.flatten(1, 2).transpose(0, 1) + self.places


def _patches(x_bhwc: Tensor, side: int) -> Tensor:
    """Squares of pixels two apart, `(batch, rows, columns, side * side * channels)`.

    Zeros surround the image, so that there is a square for each two pixels, the last one included.
    """
    _, height, width, _ = x_bhwc.shape
    rows, columns = -(-height // 2), -(-width // 2)
    above, left = (2 * (rows - 1) + side - height), (2 * (columns - 1) + side - width)
    around = (0, 0, left // 2, left - left // 2, above // 2, above - above // 2)
    padded = nn.functional.pad(x_bhwc, around)
    last = 2 * rows - 1, 2 * columns - 1
    shifted = [
        padded[:, down : down + last[0] : 2, right : right + last[1] : 2]
        for down in range(side)
        for right in range(side)
    ]
    return torch.cat(shifted, -1)
