"""Command words spoken by espeak-ng: synthetic speech, not recordings of people."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from gatewise.artifacts import splits
from gatewise.artifacts.manifest import SourceCard
from gatewise.config import Count, SourceOptions
from gatewise.config.strict import Fraction
from gatewise.config.work import Work
from gatewise.data.sources import _espeak, _spoken

WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
Takes = Annotated[int, Field(ge=1, le=1_000)]


class Source(SourceOptions):
    """Ten Speech Commands words in several hundred synthetic voices, 16 kHz.

    A voice is an accent with a timbre. The group of a clip is its timbre, so that no timbre
    crosses splits under another accent.
    """

    pinned: ClassVar[bool] = True
    work: ClassVar[Work] = "speech"
    card: ClassVar[SourceCard] = SourceCard(
        payload="audio",
        title="Ten command words in synthetic speech (espeak-ng), not recordings of people",
        synthetic=True,
        licence="generated here; espeak-ng itself is GPL-3.0-or-later",
        homepage="https://github.com/espeak-ng/espeak-ng",
    )
    size: ClassVar[str] = "5,200 clips, 70 MB; nothing to download"
    needs: ClassVar[str] = "nothing"

    kind: Literal["synthetic-commands"]
    words: tuple[str, ...] = WORDS
    """What is said; each word is a label."""
    voices: Count = 520
    """How many voices speak, spread evenly over the 104 timbres; at most 832."""
    takes: Takes = 1
    """How often each voice says each word."""
    test_takes: Takes | None = None
    """How often the voices of the test split do, whose size is `split.test`; `takes` if left out.
    Speech costs nothing here, and a larger test set tells variants apart with fewer seeds."""
    test_share: Fraction = 0.2
    """Must equal `split.test` where `test_takes` is given: it says who tests."""
    rate: tuple[int, int] = (120, 200)
    """Range of speaking rates in words per minute, drawn for each clip."""
    pitch: tuple[int, int] = (30, 70)
    """Range of pitches (50 is the voice's own), drawn for each clip."""
    pitch_range: tuple[int, int] = (30, 70)
    """Range of intonation depths (50 is the voice's own), drawn for each clip."""
    seed: int = Field(default=0, ge=0)
    """Seed of accents, rates and pitches."""

    @model_validator(mode="after")
    def _speakable(self) -> Source:
        limits = {"rate": (80, 450), "pitch": (0, 100), "pitch_range": (0, 100)}
        for name, (lowest, highest) in limits.items():
            low, high = getattr(self, name)
            if not lowest <= low <= high <= highest:
                raise ValueError(f"{name}: [{low}, {high}] must rise within {lowest} to {highest}")
        if len(set(self.words)) != len(self.words) or len(self.words) < 2:
            raise ValueError("words: give at least two, each once")
        available = len(_espeak.timbres()) * len(_espeak.ACCENTS)
        if self.voices > available:
            raise ValueError(f"voices: {self.voices} asked for; espeak-ng has at most {available}")
        return self

    def fetch(self, target: Path) -> None:
        """Speak every clip into `target`."""
        takes: Counter[str] = Counter()

        def name(_: int, said: _espeak.Utterance) -> str:
            key = f"{said.text}/{said.timbre.replace(' ', '_')}.{said.accent}"
            takes[key] += 1
            return f"{key}.{takes[key] - 1}"

        _spoken.fetch(target, self.card, self._plan(), name)

    def _plan(self) -> list[list[_espeak.Utterance]]:
        """What each timbre says; a timbre's draws depend on the seed and its own name."""
        timbres = _espeak.timbres()
        plan = []
        for place, timbre in enumerate(timbres):
            accents = len(range(place, self.voices, len(timbres)))
            if accents == 0:
                break
            digest = hashlib.sha256(f"{self.seed}/{timbre}".encode()).digest()
            draw = np.random.default_rng(int.from_bytes(digest))
            order = draw.permutation(len(_espeak.ACCENTS))[:accents]
            # As groups, timbres fall into the test split by a hash of their names.
            tests = self.test_takes is not None and splits.position(timbre) < self.test_share
            takes = self.test_takes if tests and self.test_takes else self.takes
            plan.append(
                [
                    _espeak.Utterance(
                        word,
                        _espeak.ACCENTS[accent],
                        timbre,
                        *(
                            int(draw.integers(low, high + 1))
                            for low, high in (self.rate, self.pitch, self.pitch_range)
                        ),
                    )
                    for accent in order
                    for word in self.words
                    for _ in range(takes)
                ]
            )
        return plan
