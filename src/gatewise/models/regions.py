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
    more than `SIDE`: the first has 16 features, each next one twice as many, up to 64. A last one
    lets each region see its neighbours, since what lies on a border is in no region as a whole.
    """

    SIDE: ClassVar[int] = 6
    FIRST: ClassVar[int] = 16
    MOST: ClassVar[int] = 64
    PATCH: ClassVar[int] = 3
    SUMMARY: ClassVar[int] = 128
    """Numbers that all regions together become."""

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
    def halvings(self) -> int:
        """Layers that halve height and width; one at least."""
        return max(1, math.ceil(math.log2(max(self.height, self.width) / self.SIDE)))

    @property
    def grids(self) -> list[tuple[int, int]]:
        """Height and width behind each layer."""
        halved = [
            (-(-self.height // 2**depth), -(-self.width // 2**depth))
            for depth in range(1, self.halvings + 1)
        ]
        return [*halved, halved[-1]]

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
        halved = [min(self.FIRST << k, self.MOST) for k in range(self.halvings)]
        return [self.channels, *halved, halved[-1]]

    @property
    def features(self) -> int:
        """Of each region."""
        return self.widths[-1]

    @property
    def parameters(self) -> int:
        """Trainable parameters: layers, the summary, and what says where each region lies."""
        layers = sum((into + 1) * out for into, out in self.shapes)
        return layers + (self.numbers + 1) * self.SUMMARY + self.numbers

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one image."""
        cells = (rows * columns for rows, columns in self.grids)
        layers = sum(n * into * out for n, (into, out) in zip(cells, self.shapes, strict=True))
        return layers + self.numbers * self.SUMMARY

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Numbers into and out of each layer at each place."""
        return [(self.PATCH**2 * into, out) for into, out in itertools.pairwise(self.widths)]


class RegionEncoder(nn.Module):
    """Rows of pixels to vectors of regions, in reading order, and to one of the whole image.

    Each region has a vector of its own place added, as words have in a transformer (Gehring et al.
    2017): a decoder that knows where something lies can then look there.
    """

    def __init__(self, regions: Regions) -> None:
        super().__init__()
        self.regions = regions
        self.layers = nn.ModuleList(_relu_layer(into, out) for into, out in regions.shapes)
        self.places = nn.Parameter(torch.zeros(regions.count, regions.features))
        self.summary = _relu_layer(regions.numbers, regions.SUMMARY)

    def forward(self, x_tbf: Tensor) -> tuple[Tensor, Tensor]:
        """`(height, batch, width * channels)` to regions and summary.

        Returns:
            `(batch, regions, features)` and `(batch, SUMMARY)`.
        """
        of = self.regions
        x_bhwc = x_tbf.transpose(0, 1).reshape(-1, of.height, of.width, of.channels)
        for number, layer in enumerate(self.layers):
            apart = 2 if number < of.halvings else 1
            x_bhwc = torch.relu(layer(_patches(x_bhwc, of.PATCH, apart)))
        regions_brf = x_bhwc.flatten(1, 2) + self.places
        return regions_brf, torch.relu(self.summary(regions_brf.flatten(1)))


def _relu_layer(into: int, out: int) -> Linear:
    """A layer that a ReLU follows, as He et al. (2015) start it."""
    layer = Linear(into, out)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer


def _patches(x_bhwc: Tensor, side: int, apart: int) -> Tensor:
    """Squares of pixels so far apart, `(batch, rows, columns, side * side * channels)`.

    Zeros surround the image, so that no pixel is left out, the last ones included.
    """
    _, height, width, _ = x_bhwc.shape
    rows, columns = -(-height // apart), -(-width // apart)
    above, left = (apart * (n - 1) + side - of for n, of in ((rows, height), (columns, width)))
    around = (0, 0, left // 2, left - left // 2, above // 2, above - above // 2)
    padded = nn.functional.pad(x_bhwc, around)
    last = apart * (rows - 1) + 1, apart * (columns - 1) + 1
    shifted = [
        padded[:, down : down + last[0] : apart, right : right + last[1] : apart]
        for down in range(side)
        for right in range(side)
    ]
    return torch.cat(shifted, -1)
