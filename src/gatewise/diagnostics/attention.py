"""Where trained models look in their input for each symbol that they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gatewise.artifacts.objectives.base import SILENT
from gatewise.artifacts.prepared import TOKENIZER, Prepared, pad
from gatewise.artifacts.runs import RunRecord
from gatewise.diagnostics.trained import load
from gatewise.errors import GatewiseError
from gatewise.models.batch import Batch
from gatewise.models.generator import SequenceGenerator

END = "(end)"
"""What the last row of a map is called."""


@dataclass(frozen=True)
class AttentionMap:
    """One example as a run reads and says it."""

    example: str
    """Its id."""
    read: tuple[str, ...]
    """Steps of the input: words of a text, regions of an image and others by their numbers from
    1."""
    said: tuple[str, ...]
    """Symbols that the run says by itself, then the end."""
    weights: np.ndarray
    """Share of each step of the input, float32 `(said, read)`; every row sums to one."""


def maps(run: Path, prepared: Path, examples: Sequence[str]) -> list[AttentionMap]:
    """Attention of a finished run on some examples, as it says their answers.

    Args:
        run: its folder.
        prepared: `data/prepared/<task>/`.
        examples: their ids.

    Raises:
        GatewiseError: an example is not of the task, the run's weights are not those of its
            record, or its model does not look at its input.
    """
    task = Prepared.open(prepared)
    rows = [_row(task, example, prepared) for example in examples]
    if not rows:
        return []
    model = load(run, RunRecord.read(run), task)
    if not isinstance(model, SequenceGenerator):
        raise GatewiseError(f"{run}: this model says no answer, and so looks for nothing")
    starts, lengths = (
        task.index[column].to_numpy(np.int64)[rows] for column in ("start", "length")
    )
    inputs = torch.from_numpy(pad(task.sequences, starts, lengths))
    inputs = inputs.long() if inputs.ndim == 2 else inputs
    with torch.inference_mode():
        said, weights = _attention(model, inputs, torch.from_numpy(lengths))
    found = []
    for place, (example, length) in enumerate(zip(examples, lengths.tolist(), strict=True)):
        symbols = [task.card.labels[k] for k in said[place].tolist() if k != SILENT]
        regions = model.sizes.regions
        if regions is not None:
            read = _numbered(regions.count)
        else:
            read = _read(prepared, inputs[place, :length])
        share = weights[place, : len(symbols) + 1, : len(read)].numpy()
        found.append(AttentionMap(example, read, (*symbols, END), share))
    return found


def _row(task: Prepared, example: str, folder: Path) -> int:
    rows = np.flatnonzero(task.index["id"].to_numpy() == example)
    if len(rows) == 0:
        raise GatewiseError(f"{folder}: no example {example!r}; the ids are those of index.parquet")
    return int(rows[0])


def _attention(model: SequenceGenerator, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """What is said `(batch, longest)`, and weights `(batch, longest + 1, time)`."""
    said = model.answered(Batch(inputs, lengths, torch.zeros(len(lengths)))).said
    assert said is not None  # noqa: S101  # it is a model that says its answer
    symbols = said.masked_fill(said == SILENT, 0)
    return said, model.attention(inputs, lengths, symbols).float()


def _read(folder: Path, inputs: Tensor) -> tuple[str, ...]:
    """Names of an input's steps."""
    if inputs.ndim == 2:
        return _numbered(len(inputs))
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    return tuple(str(tokenizer.id_to_token(token)) for token in inputs.tolist())


def _numbered(steps: int) -> tuple[str, ...]:
    return tuple(str(step) for step in range(1, steps + 1))
