"""Strings of user interfaces as plain words: what programs fill in, and markup, taken out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

FILLED = "_x_"
"""Stands for whatever a program fills in: a placeholder, an address."""

_TAGS = re.compile(r"<[^<>]*>")
_LINKS = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_FILLED = re.compile(r"\{[^{}]*\}|https?://\S+")
_MARKS = re.compile(r"[*`#_]+")
_WORDS = re.compile(rf"{FILLED}|\w+(?:'\w+)*")
_ELIDED = re.compile(rf"{FILLED}|\w+'|\w+")
"""Words where an elided one is a word of its own: `l'appareil`."""
_NUMBERED = re.compile(r"\w|\w*\d\w*")
"""Letters and numbers by which like things are told apart: `phase b`, `relay 2`, `l3`."""
ELIDING = ("fr",)
"""Languages that elide."""

_FUNCTION_WORDS = {
    "en": "a an the of to in on at for from with by as and or if is are be was not no this that "
    "it its your you has have",
    "es": "el la los las un una unos unas lo de del al a en con por para como y o si se es son "
    "no este esta esto que su sus tu tus ha han",
    "de": "der die das den dem des ein eine einen einem einer eines von vom zu zum zur in im an "
    "am auf für mit bei aus als und oder wenn ist sind nicht kein keine dies diese dieser "
    "dieses es du dein deine deinen deiner hat wird werden",
    "fr": "le la les l' un une des de d' du à au aux en dans sur par pour avec et ou si est sont "
    "ne n' pas ce cette ces qu' que il elle se s' votre vos vous son sa ses a été",
}
FUNCTION_WORDS = {language: frozenset(them.split()) for language, them in _FUNCTION_WORDS.items()}
"""Words that say little by themselves: phrases that differ in them alone are nearly the same."""


def leaves(tree: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every string of nested mappings, under its keys joined by dots."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*above, key))
        elif isinstance(value, str):
            yield ".".join((*above, key)), value


def words(string: str, language: str) -> tuple[str, ...]:
    """The words of a string in lower case, without signs.

    Args:
        string: as a program has it, with placeholders in braces (nested ones as in ICU's plurals),
            HTML and Markdown.
        language: which it is in, as a code of two letters.
    """
    text = _LINKS.sub(r"\1", _TAGS.sub(" ", string.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")))
    filled = "\0"  # keeps a placeholder apart from underscores that are markup
    while (done := _FILLED.sub(f" {filled} ", text)) != text:
        text = done
    text = _MARKS.sub(" ", text).replace(filled, FILLED).lower()
    found = (_ELIDED if language in ELIDING else _WORDS).findall(text)
    return tuple(found)


def content(words: Iterable[str], language: str) -> frozenset[str]:
    """The words that say what a string is about; all of them where none does."""
    every = frozenset(words)
    empty = FUNCTION_WORDS[language] | {FILLED}
    return frozenset(word for word in every - empty if not _NUMBERED.fullmatch(word)) or every
