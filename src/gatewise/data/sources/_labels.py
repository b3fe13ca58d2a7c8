"""Labels as people write them: the same label must not become two classes unseen."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from gatewise.config import suggest
from gatewise.errors import GatewiseError

if TYPE_CHECKING:
    from gatewise.data.sources._documents import Document
    from gatewise.data.sources._sounds import Sound

    Item = TypeVar("Item", Document, Sound)

NAMED = 3
MOST = 50  # labels that a refusal lists


def clean(label: str) -> str:
    """The label without spaces around it, composed letters as one character."""
    return unicodedata.normalize("NFC", label).strip()


def cleaned(items: Sequence[Item], origin: str) -> list[Item]:
    """As `stream`, of items that are at hand."""
    return list(stream(items, origin))


def without(items: Iterable[Item], labels: Sequence[str], origin: str) -> Iterator[Item]:
    """The items but those of some labels, which must be there.

    Args:
        items: what a source lists.
        labels: those that are left out.
        origin: names the data in what is said.

    Raises:
        GatewiseError: no item has one of these labels.
    """
    dropped = dict.fromkeys(map(clean, labels), 0)
    seen: set[str] = set()
    for item in items:
        label = clean(item.label)
        if label in dropped:
            dropped[label] += 1
        else:
            seen.add(label)
            yield item
    for label, count in dropped.items():
        if not count:
            raise GatewiseError(
                f"{origin}: without: no label {label!r}{suggest(label, sorted(seen)[:MOST])}"
            )
        _say(origin, f"left out {count} examples of {label!r}, as `without` says")


def stream(items: Iterable[Item], origin: str) -> Iterator[Item]:
    """The items under clean labels; what was changed, and what still looks alike, is said.

    Args:
        items: what a source lists, with its labels as they were written.
        origin: names the data in what is said.
    """
    mended: dict[str, int] = defaultdict(int)
    alike: dict[str, set[str]] = defaultdict(set)
    for item in items:
        label = clean(item.label)
        mended[item.label] += label != item.label
        alike[_key(label)].add(label)
        yield item if label == item.label else replace(item, label=label)
    spaced = [f"{label!r} ({count})" for label, count in mended.items() if count]
    if spaced:
        some = ", ".join(spaced[:NAMED])
        _say(origin, f"spaces around labels taken away: {some}")
    for labels in alike.values():
        if len(labels) > 1:
            _say(
                origin,
                f"the labels {', '.join(map(repr, sorted(labels)))} differ in case or spacing "
                "only and are classes of their own; mend the data if they should be one",
            )


def _key(label: str) -> str:
    folded = unicodedata.normalize("NFKC", label).casefold()
    return re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", folded)


def _say(origin: str, sentence: str) -> None:
    print(f"warning: {origin}: {sentence}", file=sys.stderr)
