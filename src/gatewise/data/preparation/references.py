"""Texts that are to be generated, as numbers of their symbols, all that are right end to end.

A manifest's label holds one text a line, the usual one first. Symbols are numbered by the training
examples alone where splits are fixed; what these do not have is written as `UNHEARD`, so that the
length of a text stays true and no model is asked for a symbol that it cannot know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from gatewise.artifacts import objectives
from gatewise.artifacts.objectives.base import OTHERWISE, UNHEARD, UNKNOWN
from gatewise.artifacts.objectives.generate import Objective
from gatewise.artifacts.prepared import DRAWN, TARGETS
from gatewise.config import ObjectiveOptions
from gatewise.data.preparation import refused
from gatewise.data.preparation.certificate import Finding
from gatewise.data.preparation.sequence_writer import SequenceWriter
from gatewise.data.preparation.transformed import Transformed
from gatewise.errors import GatewiseError

MOST = 1_000
"""Symbols of a text: a decoder keeps them all while it trains."""
Texts = list[list[str]]
"""Symbols of the texts of an example that are right."""


def write(
    labels: Sequence[str],
    split: np.ndarray,
    done: Transformed,
    options: ObjectiveOptions,
    folder: Path,
) -> list[str]:
    """Write the references of all examples that can be used, and note in `done` which cannot.

    Args:
        labels: of each example, in the manifest's order.
        split: of each example, or `DRAWN`.
        done: what came of the payload; sequences of further unusable examples are taken out.
        options: of the objective.
        folder: of the prepared task.

    Returns:
        Names of the symbols, in the order of their numbers.

    Raises:
        GatewiseError: no symbol is left that could be said.
    """
    asks = _asks(options)
    texts = [_texts(label, asks) for label in labels]
    refused.leave_out(done, [_problem(own) for own in texts], folder)
    used = [[] if row in done.unusable else own for row, own in enumerate(texts)]
    learnt_from = np.isin(split, ["train", DRAWN])
    training = [own for own, known in zip(used, learnt_from, strict=True) if known]
    names = _vocabulary(training, asks)
    number = {name: place for place, name in enumerate(names)}
    with SequenceWriter(folder / TARGETS, (), np.int32) as writer:
        for own in used:
            writer.append(_numbers(own, number))
            done.target_lengths.append(_steps(own))
    others = [own for own, known in zip(used, learnt_from, strict=True) if own and not known]
    done.figures |= _figures(training, others, number)
    return names


def learnt(
    rows: pd.DataFrame, done: Transformed, resample: bool, options: ObjectiveOptions
) -> Finding:
    """Where the symbols come from, and how many of those that are asked for training lacks."""
    del rows, options
    if resample:
        claim = "symbols are numbered from all examples, since each seed draws its own splits"
        return Finding("labels", claim, 0)
    unheard, repeated = (done.figures[name] for name in ("unheard_share", "repeated_share"))
    claim = "every symbol that can be said comes from training texts"
    how = (
        f"outside training {unheard:.1%} of the symbols cannot be said and count as errors; "
        f"{repeated:.1%} of the examples ask for a text that training has whole"
    )
    return Finding("labels", claim, 0, how=how)


def _problem(texts: Texts) -> str | None:
    """Why nothing can be learnt of an example; `None` if it can."""
    for place, symbols in enumerate(texts, 1):
        if not symbols and len(texts) == 1:
            return "its text is empty"
        if not symbols:
            return f"the {place}. of its {len(texts)} texts is empty; take the empty line out"
        if len(symbols) > MOST:
            return f"its text has {len(symbols)} symbols; at most {MOST:,} are generated"
    return None


def _vocabulary(training: Sequence[Texts], asks: Objective) -> list[str]:
    """Names of the symbols that can be said, in the order of their numbers."""
    counts = Counter(symbol for own in training for text in own for symbol in text)
    del counts[UNKNOWN]  # stands for what cannot be said
    frequent = [(-count, name) for name, count in counts.items() if count >= asks.min_frequency]
    if counts and not frequent:
        raise GatewiseError(
            f"no symbol occurs {asks.min_frequency} times in the texts of training; lower "
            "objective.min_frequency"
        )
    return sorted(name for _, name in sorted(frequent)[: asks.vocabulary])


def _numbers(texts: Texts, number: dict[str, int]) -> np.ndarray:
    """The row of `targets.npy`, int32 `(steps,)`."""
    row: list[int] = []
    for text in texts:
        row += [OTHERWISE] if row else []
        row += [number.get(symbol, UNHEARD) for symbol in text]
    return np.array(row, dtype=np.int32)


def _steps(texts: Texts) -> int:
    return sum(map(len, texts)) + max(0, len(texts) - 1)


def _figures(
    training: Sequence[Texts], others: Sequence[Texts], number: dict[str, int]
) -> dict[str, float]:
    """What people would want to know of the texts that training does not see."""
    if not others:
        return {}
    asked = [symbol for own in others for text in own for symbol in text]
    known = {tuple(text) for own in training for text in own}
    repeated = sum(any(tuple(text) in known for text in own) for own in others)
    return {
        "unheard_share": sum(symbol not in number for symbol in asked) / len(asked),
        "repeated_share": repeated / len(others),
    }


def _texts(label: str, asks: Objective) -> Texts:
    """Symbols of the texts of a label, each text once."""
    texts = [asks.split(text) for text in label.split("\n")]
    return [text for place, text in enumerate(texts) if text not in texts[:place]]


def _asks(options: ObjectiveOptions) -> Objective:
    asks = objectives.of(options.model_dump())
    assert isinstance(asks, Objective)  # noqa: S101  # the one with tokens as targets
    return asks
