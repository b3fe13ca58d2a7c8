"""What trained weights do on the splits that are asked for, and on no other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from gatewise.training.fit import FitResult
from gatewise.training.scoring import scores


@dataclass(frozen=True)
class Evaluation:
    """What a model said about one split."""

    rows: np.ndarray
    """int64 `(examples,)`: rows of the task's index in the order in which they were scored."""
    logits: torch.Tensor
    """float32 `(examples, classes)` on the CPU, in the order of `rows`."""
    metrics: dict[str, float]
    """As `scores` gives them."""


def score(fitted: FitResult, splits: Iterable[str]) -> dict[str, Evaluation]:
    """Predictions and metrics of a trained run on each of `splits`, and on no other."""
    return {split: _score(fitted, split) for split in splits}


def _score(fitted: FitResult, split: str) -> Evaluation:
    data = fitted.data
    parts = fitted.trainer.predict(fitted.module, data.evaluation_dataloader(split))
    assert parts is not None  # noqa: S101  (for the type checker)
    logits = torch.cat(parts).float().cpu()  # type: ignore[arg-type]
    rows = data.evaluation_rows(split)
    labels = torch.from_numpy(data.clean_sequences.labels[rows])
    return Evaluation(rows, logits, scores(logits, labels))
