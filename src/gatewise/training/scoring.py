"""From logits to metrics and predictions, and the digests that prove reruns equal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from gatewise.artifacts import digests
from gatewise.artifacts.prepared import Prepared
from gatewise.config.metrics import METRICS, count


def scores(logits: torch.Tensor, labels: torch.Tensor) -> dict[str, float]:
    """Every registered metric, and `loss`, of logits `(examples, classes)`.

    `loss` is the mean cross-entropy that training lowers; `log_loss` is computed from
    probabilities as they are stored, and so never infinite. In single precision, all of them.
    """
    loss = float(functional.cross_entropy(logits, labels))
    probabilities = torch.softmax(logits.float(), dim=1).cpu().numpy()
    counts = count(labels.cpu().numpy(), probabilities)[0]
    values = [
        (name, float(np.float32(metric.from_counts(counts)))) for name, metric in METRICS.items()
    ]
    # Columns of the curves stay where they were: what is added to the registry comes behind.
    return dict([*values[:2], ("loss", loss), *values[2:]])


def predictions(prepared: Prepared, rows: np.ndarray, logits: torch.Tensor) -> pd.DataFrame:
    """One row an example, in the order of the index whatever order they were scored in.

    Args:
        prepared: the task.
        rows: rows of its index that were scored.
        logits: `(examples, classes)`, in the order of `rows`.
    """
    order = np.argsort(rows)
    chosen = prepared.index.iloc[rows[order]]
    probabilities = torch.softmax(logits, dim=1).numpy()[order]
    return pd.DataFrame(
        {
            "id": chosen["id"].to_numpy(),
            "group": chosen["group"].to_numpy(),
            "label": chosen["label"].to_numpy(np.int32),
            "predicted": probabilities.argmax(1).astype(np.int32),
            "probabilities": list(probabilities),
        }
    )


def predictions_digest(table: pd.DataFrame) -> str:
    """sha256 over ids, labels and probabilities; independent of the file format."""
    probabilities = np.stack(list(table["probabilities"]))
    return digests.of_predictions(table["id"], table["label"].to_numpy(), probabilities)


def weights_digest(state: dict[str, torch.Tensor]) -> str:
    """sha256 over tensors in name order: name, type, shape and bytes."""
    return digests.of_weights(
        {name: tensor.detach().cpu().contiguous().numpy() for name, tensor in state.items()}
    )
