"""Pairs of texts: one that a model is given, and one or several that it should say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from gatewise.data.sources._documents import Document

OTHERWISE = "\n"
"""Between texts of a label that are right alike, the usual one first."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A text and what should be said to it."""

    id: str
    source: str
    targets: tuple[str, ...]
    """Texts of one line each; all of them are right."""
    group: str | None = None
    """Left out: sources that are the same when normalised form a group."""
    split: str = ""

    @property
    def document(self) -> Document:
        """The same, as the raw folder has texts."""
        return Document(self.id, self.source, label(self.targets), self.group, self.split)


def label(targets: Iterable[str]) -> str:
    """What a manifest holds of texts that are right alike; each stands there once."""
    return OTHERWISE.join(dict.fromkeys(targets))


@dataclass
class _Together:
    """Pairs of one source text, group and split."""

    first: Pair
    said: Counter[str] = field(default_factory=Counter)

    @property
    def pair(self) -> Pair:
        """Under the name of the first, the most frequent target in front."""
        usual = [target for target, _ in self.said.most_common()]
        return replace(self.first, targets=tuple(usual))


def together(pairs: Iterable[Pair]) -> tuple[list[Pair], int]:
    """Pairs whose source text, group and split are the same as one with several targets.

    Returns:
        The pairs, in the order in which their texts are first seen, and how many were joined to
        an earlier one.
    """
    found: dict[tuple[str, str | None, str], _Together] = {}
    count = 0
    for pair in pairs:
        count += 1
        same = found.setdefault((pair.source, pair.group, pair.split), _Together(pair))
        same.said.update(pair.targets)
    return [same.pair for same in found.values()], count - len(found)


def documents(pairs: Iterable[Pair]) -> Iterator[Document]:
    """As `_documents.write` takes them."""
    return (pair.document for pair in pairs)
