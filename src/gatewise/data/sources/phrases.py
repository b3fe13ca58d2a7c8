"""Phrases of a user interface and what they are in another language (Home Assistant)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import SourceCard
from gatewise.config import SourceOptions
from gatewise.data.sources import _documents, _pairs
from gatewise.data.sources._components import components
from gatewise.data.sources._interface_strings import content, leaves, words
from gatewise.data.sources._package import Wheel
from gatewise.data.sources._pairs import Pair

WHEEL = Wheel(
    package="homeassistant",
    version="2026.11.0",
    sha256="7ca5fbde9dea879ac7723949fc84347aac5182e6309c357b2e4973fd391b00f7",
    any_python=True,
)
"""Of the releases that pip hands out without `any_python`, the last has half as many phrases."""
FROM = "en"
SHORTEST = 2
TARGET_WORDS = 1.25
"""Words of the target language for each of the source language: it inflects more."""
LANGUAGES = {"en": "English", "es": "Spanish", "de": "German", "fr": "French"}
MEMBER = re.compile(rf"homeassistant/components/([^/]+)/translations/{FROM}\.json")
TITLE = "Phrases of a user interface (Home Assistant)"

Both = tuple[tuple[str, ...], tuple[str, ...]]
"""Words of a string, in English and in the other language."""


class Source(SourceOptions):
    """Short phrases of Home Assistant's user interface, English to Spanish, German or French.

    Translated by volunteers. What programs fill in is one word, `_x_`; markup, signs and case are
    taken out; phrases with rare words, and those that were left untranslated, are dropped. A phrase
    that was translated in several ways has them all. The group of a phrase is what its content
    words connect it to, in either language.
    """

    pinned: ClassVar[bool] = True
    objective: ClassVar[Mapping[str, Any]] = MappingProxyType({"kind": "generate"})
    card: ClassVar[SourceCard] = SourceCard(
        payload="text",
        title=f"{TITLE}, English to another language",
        licence="Apache-2.0",
        citation="Home Assistant's contributors",
        homepage="https://github.com/home-assistant/core",
    )
    size: ClassVar[str] = "13,600 phrases, 1 MB; downloads 68 MB"
    needs: ClassVar[str] = "the network once (pip), or its cache"

    kind: Literal["phrases"]
    language: Literal["es", "de", "fr"] = "es"
    """What is translated into."""
    vocabulary: Annotated[int, Field(ge=50, le=20_000)] = 1_500
    """The most frequent English words that phrases are made of; a quarter more of the other
    language's. Fewer give fewer phrases."""
    longest: Annotated[int, Field(ge=SHORTEST, le=100)] = 10
    """Words of the longest phrase; the shortest has two."""

    def fetch(self, target: Path) -> None:
        """Write phrases and manifest into `target`."""
        strings = Counter(self._strings())
        usable: Counter[Both] = Counter()
        skipped: Counter[str] = Counter()
        for both, count in strings.items():
            why = self._unusable(both)
            if why:
                skipped[why] += count
            else:
                usable[both] = count
        kept = _of_frequent_words(usable, self.vocabulary)
        skipped["rare words"] = sum(usable.values()) - sum(kept.values())
        skipped["repeated"] = sum(kept.values()) - len(kept)
        pairs = _grouped(_together(kept), self.language)
        told = {
            "title": f"{TITLE}, {LANGUAGES[FROM]} to {LANGUAGES[self.language]}",
            "skipped": {why: count for why, count in skipped.items() if count},
        }
        card = self.card.model_copy(update=told)
        manifest.write(target, card, _documents.write(target, _pairs.documents(pairs)))

    def _strings(self) -> Iterator[Both]:
        """Every string that both languages have, matched by component and key."""
        with WHEEL.open() as archive:
            there = set(archive.namelist())
            for component in sorted({match[1] for match in map(MEMBER.fullmatch, there) if match}):
                names = [_member(component, language) for language in (FROM, self.language)]
                if not there.issuperset(names):
                    continue
                first, other = (dict(leaves(json.loads(archive.read(name)))) for name in names)
                for key in first.keys() & other.keys():
                    yield words(first[key], FROM), words(other[key], self.language)

    def _unusable(self, both: Both) -> str:
        """Why a string is left out; nothing if it is not."""
        if not all(SHORTEST <= len(side) <= self.longest for side in both):
            return f"other than {SHORTEST} to {self.longest} words"
        return "untranslated" if both[0] == both[1] else ""


def _member(component: str, language: str) -> str:
    return f"homeassistant/components/{component}/translations/{language}.json"


def _of_frequent_words(counts: Counter[Both], vocabulary: int) -> Counter[Both]:
    """Strings without rare words; each string counts once, however often it is repeated."""
    known = [
        _most_frequent((words for both in counts for words in both[side]), size)
        for side, size in ((0, vocabulary), (1, round(TARGET_WORDS * vocabulary)))
    ]
    return Counter(
        {
            both: count
            for both, count in counts.items()
            if known[0].issuperset(both[0]) and known[1].issuperset(both[1])
        }
    )


def _most_frequent(found: Iterable[str], size: int) -> set[str]:
    ordered = sorted(Counter(found).items(), key=lambda item: (-item[1], item[0]))
    return {word for word, _ in ordered[:size]}


def _together(counts: Counter[Both]) -> list[Pair]:
    """A pair a source text, with its translations, the usual one first."""
    ordered = sorted(counts, key=lambda both: (both[0], -counts[both], both[1]))
    texts = ((" ".join(source), " ".join(target)) for source, target in ordered)
    return _pairs.together(Pair(source, source, (target,)) for source, target in texts)[0]


def _grouped(pairs: Sequence[Pair], language: str) -> list[Pair]:
    """Pairs in groups of what is connected by equal content words, in either language."""
    keys = [
        [(FROM, content(pair.source.split(), FROM))]
        + [(language, content(target.split(), language)) for target in pair.targets]
        for pair in pairs
    ]
    found = components(keys)
    names: dict[int, str] = {}
    for pair, number in zip(pairs, found.tolist(), strict=True):
        names.setdefault(number, pair.source)  # of the first in the alphabet
    return [
        replace(pair, group=names[number])
        for pair, number in zip(pairs, found.tolist(), strict=True)
    ]
