"""Texts that say what is to be answered, as numbers of their symbols."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from gatewise.artifacts import objectives
from gatewise.artifacts.objectives.transcribe import Objective, fewest_steps
from gatewise.artifacts.prepared import TARGETS
from gatewise.config import ObjectiveOptions
from gatewise.data.preparation import refused
from gatewise.data.preparation.certificate import SHOWN, Finding
from gatewise.data.preparation.sequence_writer import SequenceWriter
from gatewise.data.preparation.transformed import Transformed


def write(
    labels: Sequence[str],
    split: np.ndarray,
    done: Transformed,
    options: ObjectiveOptions,
    folder: Path,
) -> list[str]:
    """Write the targets of all examples that can be used, and note in `done` which cannot.

    Args:
        labels: text of each example, in the manifest's order.
        split: of each example; symbols that training lacks are refused later.
        done: what came of the payload; sequences of further unusable examples are taken out.
        options: of the objective.
        folder: of the prepared task.

    Returns:
        Names of the symbols, in the order of their numbers.
    """
    del split
    asks = _asks(options)
    symbols = [asks.split(text) for text in labels]
    both = zip(symbols, done.lengths, strict=True)
    refused.leave_out(done, [_problem(*own) for own in both], folder)
    used = [[] if row in done.unusable else own for row, own in enumerate(symbols)]
    names = sorted({symbol for own in used for symbol in own})
    number = {name: place for place, name in enumerate(names)}
    with SequenceWriter(folder / TARGETS, (), np.int32) as writer:
        for own in used:
            writer.append(np.array([number[symbol] for symbol in own], dtype=np.int32))
            done.target_lengths.append(len(own))
    return names


def learnt(
    rows: pd.DataFrame, done: Transformed, resample: bool, options: ObjectiveOptions
) -> Finding:
    """Whether every symbol that is asked for occurs in training.

    Where splits are drawn for each seed it has to occur in three groups, so that one can train.
    """
    del done
    split = _asks(options).split
    part = rows["group" if resample else "split"]
    where: dict[str, set[str]] = {}
    for text, place in zip(rows["label"], part, strict=True):
        for symbol in split(text):
            where.setdefault(symbol, set()).add(place)
    if resample:
        claim = "every symbol is said in three groups at least"
        lacking = sorted(symbol for symbol, places in where.items() if len(places) < 3)
    else:
        claim = "every symbol that is asked for occurs in training"
        lacking = sorted(symbol for symbol, places in where.items() if "train" not in places)
    return Finding("labels", claim, len(lacking), tuple(map(repr, lacking[:SHOWN])))


def _problem(symbols: Sequence[str], steps: int) -> str | None:
    """Why nothing can be learnt of an example; `None` if it can."""
    if not symbols:
        return "its text is empty"
    needed = fewest_steps(symbols)
    if steps < needed:
        return (
            f"{len(symbols)} symbols need at least {needed} steps, the sound has {steps}; shorten "
            "the hop, or take words as symbols"
        )
    return None


def _asks(options: ObjectiveOptions) -> Objective:
    asks = objectives.of(options.model_dump())
    assert isinstance(asks, Objective)  # noqa: S101  # the one with symbols as targets
    return asks
