"""Strings of digits spoken by espeak-ng: synthetic speech, not recordings of people."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from gatewise.artifacts.manifest import SourceCard
from gatewise.config import Count, SourceOptions
from gatewise.data.sources import _espeak, _spoken

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
RATE, PITCH, RANGE = (140, 240), (30, 70), (30, 70)
"""Ranges from which each clip's words per minute, pitch and depth of intonation are drawn."""


class Source(SourceOptions):
    """Spoken strings of three to six digits in a hundred synthetic timbres, 16 kHz.

    Words run into each other as one phrase does. The group of a clip is its timbre, so that no
    timbre crosses splits under another accent.
    """

    pinned: ClassVar[bool] = True
    objective: ClassVar[Mapping[str, Any]] = MappingProxyType({"kind": "transcribe"})
    card: ClassVar[SourceCard] = SourceCard(
        payload="audio",
        title="Spoken strings of digits in synthetic speech (espeak-ng), not recordings of people",
        synthetic=True,
        licence="generated here; espeak-ng itself is GPL-3.0-or-later",
        homepage="https://github.com/espeak-ng/espeak-ng",
    )
    size: ClassVar[str] = "2,080 clips, 110 MB; nothing to download"
    needs: ClassVar[str] = "nothing"

    kind: Literal["synthetic-strings"]
    words: tuple[str, ...] = WORDS
    """What strings are made of; each word is a symbol."""
    shortest: Annotated[int, Field(ge=1, le=50)] = 3
    """Words of the shortest string."""
    longest: Annotated[int, Field(ge=1, le=50)] = 6
    """Words of the longest string."""
    timbres: Count = 104
    """How many speak; at most 104."""
    takes: Count = 20
    """Strings that each timbre says, each in an accent of its own draw."""
    seed: int = Field(default=0, ge=0)
    """Seed of strings, accents, rates and pitches."""

    @model_validator(mode="after")
    def _speakable(self) -> Source:
        if self.longest < self.shortest:
            raise ValueError(f"longest ({self.longest}) is below shortest ({self.shortest})")
        if len(set(self.words)) != len(self.words) or len(self.words) < 2:
            raise ValueError("words: give at least two, each once")
        if any(len(word.split()) != 1 for word in self.words):
            raise ValueError("words: each is one word, without spaces")
        available = len(_espeak.timbres())
        if self.timbres > available:
            raise ValueError(f"timbres: {self.timbres} asked for; espeak-ng has {available}")
        return self

    def fetch(self, target: Path) -> None:
        """Speak every string into `target`."""
        plan = [self._say(timbre) for timbre in _espeak.timbres()[: self.timbres]]

        def name(take: int, said: _espeak.Utterance) -> str:
            return f"{said.timbre.replace(' ', '_')}/{take}.{said.accent}"

        _spoken.fetch(target, self.card, plan, name)

    def _say(self, timbre: str) -> list[_espeak.Utterance]:
        """What a timbre says; its draws depend on the seed and its own name."""
        digest = hashlib.sha256(f"strings/{self.seed}/{timbre}".encode()).digest()
        draw = np.random.default_rng(int.from_bytes(digest))
        return [self._utterance(draw, timbre) for _ in range(self.takes)]

    def _utterance(self, draw: np.random.Generator, timbre: str) -> _espeak.Utterance:
        length = int(draw.integers(self.shortest, self.longest + 1))
        text = " ".join(self.words[k] for k in draw.integers(len(self.words), size=length))
        accent = _espeak.ACCENTS[int(draw.integers(len(_espeak.ACCENTS)))]
        rate, pitch, depth = (
            int(draw.integers(low, high + 1)) for low, high in (RATE, PITCH, RANGE)
        )
        return _espeak.Utterance(text, accent, timbre, rate, pitch, depth)
