"""Rules for images: their size from that of the files, and rows of pixels as steps."""

from __future__ import annotations

import numpy as np

from gatewise.data.understanding.record import ImageSizes
from gatewise.repro.studies.choices import Chosen, Section

LARGEST = 64
"""Pixels of the longer side at most: each row is a step, each pixel a number of it."""
COLOURED = 0.02
"""Share of images in colour from which colours are kept."""


def features(sizes: ImageSizes) -> Section:
    """The section `features` of images that have a label."""
    return {
        **pixels(sizes, LARGEST),
        "scan": Chosen("rows", "a row of pixels is a step, from the top to the bottom"),
        "normalise": normalise(),
    }


def pixels(sizes: ImageSizes, largest: int) -> Section:
    """What is seen of each image.

    Args:
        sizes: of those that were decoded.
        largest: pixels of the longer side at most.
    """
    usual = _median(sizes.heights), _median(sizes.widths)
    height, width = shrunk(*usual, largest)
    return {
        "kind": Chosen("image"),
        "height": Chosen(height, f"rows of pixels; {_found(sizes, usual, (height, width))}"),
        "width": Chosen(width, "pixels in a row, in proportion"),
        "channels": _channels(sizes),
    }


def normalise() -> Chosen:
    """How pixels are centred and scaled."""
    return Chosen("train", "by the mean and deviation of each place in training images")


def shrunk(height: int, width: int, largest: int) -> tuple[int, int]:
    """A height and width of the same proportion, neither beyond `largest`; none is enlarged."""
    scale = min(1.0, largest / max(height, width))
    return max(1, round(scale * height)), max(1, round(scale * width))


def _median(sides: np.ndarray) -> int:
    """The usual one that is there, in pixels."""
    return int(sides[(len(sides) - 1) // 2]) if len(sides) else LARGEST


def _found(sizes: ImageSizes, usual: tuple[int, int], seen: tuple[int, int]) -> str:
    if not len(sizes.heights):
        return "no image could be decoded"
    sides = (sizes.heights[0], sizes.heights[-1], sizes.widths[0], sizes.widths[-1])
    alike = sides == (usual[0], usual[0], usual[1], usual[1])
    said = f"images have {usual[0]} x {usual[1]}" + ("" if alike else " in the middle")
    return said if usual == seen else f"{said}: shrunk to {max(seen)} at most"


def _channels(sizes: ImageSizes) -> Chosen:
    looked = len(sizes.heights)
    if sizes.coloured >= COLOURED * looked and sizes.coloured:
        return Chosen(3, f"{sizes.coloured:,} of {looked:,} images are in colour")
    few = f"; {sizes.coloured:,} of {looked:,} are in colour" if sizes.coloured else ""
    return Chosen(1, f"images are grey{few}")
