"""How much of the past a *task* needs: test scores when only the last k steps are given.

Finished runs are asked, nothing is trained: a model that was trained on whole sequences is given
the last k steps of each test sequence as if it had begun there, its state empty, k growing until
every sequence is whole. Where the score no longer rises, more memory is of no use to the task as
these models solve it. (They never saw cut sequences in training; a model trained on them might do
with less.) `normalise: clip` takes the mean of what is given, as it would of such a clip.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gatewise.artifacts import splits
from gatewise.artifacts.context import ContextReport, ContextScores
from gatewise.artifacts.objectives.base import Answered
from gatewise.artifacts.plan import ContextPlan
from gatewise.artifacts.prepared import Prepared, Targets, pad
from gatewise.artifacts.runs import RunRecord
from gatewise.diagnostics import looks
from gatewise.diagnostics.trained import load
from gatewise.models.batch import Batch
from gatewise.models.sequence_model import SequenceModel

BATCH = 256


@dataclass(frozen=True)
class Asked:
    """A run and the contexts that it is asked at."""

    folder: Path
    prepared: Path
    metric: str
    steps: tuple[int, ...]


def evaluate(
    plan: ContextPlan, folders: Sequence[Path], prepared: Path, workers: int
) -> ContextReport:
    """Score all runs of a task at every context, at most `workers` at once.

    Where a sequence without its beginning has another answer, no run is scored; those that look at
    their input while they say an answer show where.

    Args:
        plan: task, variants and metric.
        folders: run folders, those of the plan's variants.
        prepared: `data/prepared/<task>/`.
        workers: processes.

    Raises:
        GatewiseError: a run's weights are not those that its record names.
    """
    task = Prepared.open(prepared)
    # fork finds torch loaded, and nothing has computed yet; where there is no fork, spawn.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        scored = _scored if task.card.asks.cut else _unscored
        report = scored(plan, folders, task, prepared, pool)
        attention = tuple(looks.drawn(folders, prepared, pool))
    return report.model_copy(update={"attention": attention})


def _unscored(
    plan: ContextPlan, _folders: Sequence[Path], task: Prepared, *_: object
) -> ContextReport:
    """What is asked for is said in the part that would be cut away."""
    return ContextReport(
        task=plan.task,
        metric=plan.metric,
        steps=(),
        median_length=float(task.index["length"].median()),
        step_seconds=task.card.step_seconds,
        variants={},
    )


def _scored(
    plan: ContextPlan,
    folders: Sequence[Path],
    task: Prepared,
    prepared: Path,
    pool: ProcessPoolExecutor,
) -> ContextReport:
    records = [RunRecord.read(folder) for folder in folders]
    rows = {seed: test_rows(task, seed) for seed in {record.seed for record in records}}
    lengths = task.index["length"].to_numpy(np.int64)[np.concatenate([*rows.values()])]
    steps = contexts(int(lengths.max()))
    asked = [Asked(folder, prepared, plan.metric, steps) for folder in folders]
    found = list(pool.map(score, asked))
    return ContextReport(
        task=plan.task,
        metric=plan.metric,
        steps=steps,
        median_length=float(np.median(lengths)),
        step_seconds=task.card.step_seconds,
        variants={
            variant: ContextScores(
                seeds=tuple(record.seed for record in records if record.variant == variant),
                scores=tuple(
                    values
                    for record, values in zip(records, found, strict=True)
                    if record.variant == variant
                ),
            )
            for variant in plan.variants
        },
    )


def contexts(longest: int) -> tuple[int, ...]:
    """1, 2, 4, ... and the longest sequence's length, at which all are whole."""
    doubled = [2**power for power in range(longest.bit_length()) if 2**power < longest]
    return (*doubled, longest)


def test_rows(prepared: Prepared, seed: int) -> np.ndarray:
    """Rows of the index that the seed tests on, the shorter sequences first."""
    rows = np.flatnonzero(splits.for_seed(prepared, seed) == "test")
    lengths = prepared.index["length"].to_numpy(np.int64)[rows]
    ordered: np.ndarray = rows[np.argsort(lengths, kind="stable")]
    return ordered


def score(asked: Asked) -> tuple[float, ...]:
    """The test score of one run at each context, in one thread."""
    torch.set_num_threads(1)
    record, task = RunRecord.read(asked.folder), Prepared.open(asked.prepared)
    model = load(asked.folder, record, task)
    rows = test_rows(task, record.seed)
    objective = task.card.asks
    return tuple(
        objective.scores(answered(model, task, rows, steps))[asked.metric] for steps in asked.steps
    )


@torch.inference_mode()
def answered(
    model: SequenceModel, prepared: Prepared, rows: np.ndarray, steps: int
) -> list[Answered]:
    """What the model gives on the last `steps` steps of each of `rows`."""
    starts = prepared.index["start"].to_numpy(np.int64)[rows]
    lengths = prepared.index["length"].to_numpy(np.int64)[rows]
    given = np.minimum(lengths, steps)
    starts, targets = starts + lengths - given, Targets(prepared)
    parts = []
    for first in range(0, len(rows), BATCH):
        batch = slice(first, first + BATCH)
        inputs = pad(prepared.sequences, starts[batch], given[batch])
        if inputs.ndim == 2:
            inputs = inputs.astype(np.int64)
        seen = torch.from_numpy(given[batch])
        asked, asked_lengths = targets.of(rows[batch])
        known = None if asked_lengths is None else torch.from_numpy(asked_lengths)
        whole = Batch(torch.from_numpy(inputs), seen, torch.from_numpy(asked), known)
        part = model.answered(whole)
        parts.append(part._replace(outputs=part.outputs.float()))
    return parts
