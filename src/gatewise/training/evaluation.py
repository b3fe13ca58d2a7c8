"""What trained weights do on the splits that are asked for, and on no other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gatewise.artifacts.objectives.base import Answered, Columns
from gatewise.training.fit import FitResult


@dataclass(frozen=True)
class Evaluation:
    """What a model said about one split."""

    rows: np.ndarray
    """int64 `(examples,)`: rows of the task's index in the order in which they were scored."""
    columns: Columns
    """Truth and answers as the task's objective has them, in the order of `rows`."""
    metrics: dict[str, float]
    """As the objective scores them."""


def score(fitted: FitResult, splits: Iterable[str]) -> dict[str, Evaluation]:
    """Predictions and metrics of a trained run on each of `splits`, and on no other."""
    return {split: _score(fitted, split) for split in splits}


def _score(fitted: FitResult, split: str) -> Evaluation:
    data, objective = fitted.data, fitted.module.objective
    parts = fitted.trainer.predict(fitted.module, data.evaluation_dataloader(split))
    assert parts is not None  # noqa: S101  (for the type checker)
    answered = [_on_cpu(part) for part in parts]  # type: ignore[arg-type]
    columns = objective.predictions(answered)
    return Evaluation(data.evaluation_rows(split), columns, objective.scores(answered))


def _on_cpu(part: Answered) -> Answered:
    outputs, *rest = part
    moved = [None if tensor is None else tensor.cpu() for tensor in rest]
    return Answered(outputs.float().cpu(), *moved)  # type: ignore[arg-type]
