"""Decoding what CTC gives: the likeliest path, or the likeliest text by a beam over prefixes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Text:
    """A text and what it was read from."""

    symbols: tuple[int, ...]
    """Counted without the blank."""
    probability: float
    """Of the likeliest path, or of all paths of the text that the beam has kept."""


def likeliest(logs: np.ndarray, beam: int, blank: int = 0) -> Text:
    """The text that log-probabilities `(steps, symbols and blank)` say.

    Args:
        logs: of each step.
        beam: prefixes to follow; 1 takes the likeliest symbol of every step.
        blank: which of them is none.
    """
    return _greedy(logs, blank) if beam == 1 else _beam(logs, beam, blank)


def _greedy(logs: np.ndarray, blank: int) -> Text:
    best = logs.argmax(axis=1)
    changed = np.concatenate([[True], best[1:] != best[:-1]]) if len(best) else best.astype(bool)
    symbols = best[changed & (best != blank)]
    return Text(_without(symbols.tolist(), blank), math.exp(float(logs.max(axis=1).sum())))


def _beam(logs: np.ndarray, beam: int, blank: int) -> Text:
    """Follow prefixes, each with the log-probabilities of paths that end in the blank or not."""
    prefixes: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -math.inf)}
    for step in logs.tolist():
        grown: dict[tuple[int, ...], tuple[float, float]] = {}

        def add(
            prefix: tuple[int, ...],
            in_blank: float,
            in_symbol: float,
            grown: dict[tuple[int, ...], tuple[float, float]] = grown,
        ) -> None:
            a, b = grown.get(prefix, (-math.inf, -math.inf))
            grown[prefix] = _plus(a, in_blank), _plus(b, in_symbol)

        for prefix, (in_blank, in_symbol) in prefixes.items():
            either = _plus(in_blank, in_symbol)
            add(prefix, either + step[blank], -math.inf)
            for symbol, log in enumerate(step):
                if symbol == blank:
                    continue
                if prefix and prefix[-1] == symbol:
                    add(prefix, -math.inf, in_symbol + log)  # held on
                    add((*prefix, symbol), -math.inf, in_blank + log)  # said again
                else:
                    add((*prefix, symbol), -math.inf, either + log)
        kept = sorted(grown.items(), key=lambda item: (-_plus(*item[1]), item[0]))[:beam]
        prefixes = dict(kept)
    symbols, logs_of = next(iter(prefixes.items()))
    return Text(_without(list(symbols), blank), math.exp(_plus(*logs_of)))


def _plus(a: float, b: float) -> float:
    """log(exp(a) + exp(b))."""
    low, high = min(a, b), max(a, b)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def _without(outputs: list[int], blank: int) -> tuple[int, ...]:
    """Symbols counted without the blank."""
    return tuple(output - (output > blank) for output in outputs)
