"""Letter by letter, in order: what a letter says, by itself or among its neighbours.

Each letter says nothing, one symbol or two. Which letter said what is found by turns: the
likeliest division of each training text given how often every letter says what, then these counts
anew (Viterbi training; Jelinek 1976). With neighbours, the commonest of the same surroundings in
training counts, of narrower ones where those never occurred (windows as Sejnowski and Rosenberg's,
1987).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ROUNDS = 5
MOST = 20_000
"""Training texts that are looked at."""
LARGEST = 20_000_000
"""Numbers of the table of what every letter can say."""
UNSEEN = 1e-3
"""What something that was never said counts as."""
Ints = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Alphabets:
    """How many letters and symbols there are."""

    letters: int
    symbols: int

    @property
    def says(self) -> int:
        """Different things that a letter may say: nothing, one symbol, two symbols."""
        return 1 + self.symbols + self.symbols**2

    @property
    def fit(self) -> bool:
        """Whether a table of all that has room."""
        return self.letters * self.says <= LARGEST

    def symbols_of(self, said: int) -> list[int]:
        """The symbols of one of these things."""
        if said == 0:
            return []
        if said <= self.symbols:
            return [said - 1]
        return list(divmod(said - 1 - self.symbols, self.symbols))


@dataclass(frozen=True)
class Surroundings:
    """What letters say among so many neighbours on either side."""

    reach: int
    keys: Ints
    """Surroundings that training has, sorted."""
    says: Ints
    """The commonest of each."""


@dataclass(frozen=True)
class LetterTable:
    """What letters say, by the widest surroundings that are known."""

    of: Alphabets
    levels: tuple[Surroundings, ...]
    """Widest first."""

    def say(self, letters: Ints) -> Ints:
        """The symbols of a text, letter after letter."""
        said = np.zeros(len(letters), dtype=np.int64)
        open_ = np.ones(len(letters), dtype=bool)
        for level in self.levels:
            keys = _surroundings([letters], level.reach, self.of.letters)
            place = np.minimum(np.searchsorted(level.keys, keys), len(level.keys) - 1)
            known = open_ & (level.keys[place] == keys)
            said[known] = level.says[place[known]]
            open_ &= ~known
        return np.array([k for one in said.tolist() for k in self.of.symbols_of(one)], np.int64)


def learn(
    inputs: Sequence[Ints], texts: Sequence[Ints], of: Alphabets, reaches: Sequence[int]
) -> list[LetterTable]:
    """Tables for neighbourhoods of each of `reaches`, backing off to the narrower of them.

    Args:
        inputs: letters of each example.
        texts: symbols that should be said.
        of: how many there are of both.
        reaches: neighbours on either side, rising from 0.
    """
    fitting = [
        (own, text)
        for own, text in zip(inputs, texts, strict=True)
        if 0 < len(text) <= 2 * len(own)
    ][:MOST]
    letters = [own for own, _ in fitting]
    says = np.concatenate(divide(letters, [text for _, text in fitting], of))
    levels = [_commonest(letters, says, reach, of) for reach in reaches]
    return [LetterTable(of, tuple(levels[: k + 1][::-1])) for k in range(len(reaches))]


def divide(letters: Sequence[Ints], texts: Sequence[Ints], of: Alphabets) -> list[Ints]:
    """What each letter said, a number for each as `Alphabets.symbols_of` reads it."""
    said = [_evenly(len(own), text, of) for own, text in zip(letters, texts, strict=True)]
    flat = np.concatenate(letters)
    for _ in range(ROUNDS):
        counts = np.full((of.letters, of.says), UNSEEN)
        np.add.at(counts, (flat, np.concatenate(said)), 1)
        logs = np.log(counts / counts.sum(axis=1, keepdims=True))
        said = [_likeliest(logs[own], text, of) for own, text in zip(letters, texts, strict=True)]
    return said


def _evenly(letters: int, text: Ints, of: Alphabets) -> Ints:
    """A first guess: symbols spread evenly over the letters."""
    owner = np.arange(len(text)) * letters // len(text)
    edges = np.searchsorted(owner, np.arange(letters + 1))
    return np.array([_number(text[a:b], of) for a, b in itertools.pairwise(edges)])


def _number(symbols: Ints, of: Alphabets) -> int:
    if len(symbols) == 0:
        return 0
    if len(symbols) == 1:
        return 1 + int(symbols[0])
    return 1 + of.symbols + int(symbols[0]) * of.symbols + int(symbols[1])


def _likeliest(logs: Floats, text: Ints, of: Alphabets) -> Ints:
    """The likeliest division of a text among letters with `logs (letters, says)`."""
    none = logs[:, 0]
    one = logs[:, 1 + text]
    two = logs[:, 1 + of.symbols + text[:-1] * of.symbols + text[1:]]
    count, length = len(logs), len(text)
    best = np.full(length + 1, -np.inf)
    best[0] = 0.0
    taken = np.zeros((count, length + 1), dtype=np.int64)
    for k in range(count):
        options = np.full((3, length + 1), -np.inf)
        options[0] = best + none[k]
        options[1, 1:] = best[:-1] + one[k]
        options[2, 2:] = best[:-2] + two[k]
        taken[k] = options.argmax(axis=0)
        best = options.max(axis=0)
    said, end = np.zeros(count, dtype=np.int64), length
    for k in range(count - 1, -1, -1):
        begin = end - int(taken[k, end])
        said[k], end = _number(text[begin:end], of), begin
    return said


def _commonest(letters: Sequence[Ints], says: Ints, reach: int, of: Alphabets) -> Surroundings:
    """What is said most often in each surroundings of training."""
    keys = _surroundings(letters, reach, of.letters)
    pairs, counts = np.unique(np.stack([keys, says], axis=1), axis=0, return_counts=True)
    order = np.lexsort((pairs[:, 1], -counts, pairs[:, 0]))
    ordered = pairs[order]
    first = np.flatnonzero(np.diff(ordered[:, 0], prepend=-1))
    return Surroundings(reach, ordered[first, 0], ordered[first, 1])


def _surroundings(letters: Sequence[Ints], reach: int, alphabet: int) -> Ints:
    """A number for each letter with its neighbours; beyond the ends stands one more letter."""
    found = []
    for own in letters:
        padded = np.pad(own.astype(np.int64), reach, constant_values=alphabet)
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
        found.append(windows @ (alphabet + 1) ** np.arange(2 * reach + 1))
    return np.concatenate(found)
