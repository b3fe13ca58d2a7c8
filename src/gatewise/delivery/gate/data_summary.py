"""A few numbers of each training sequence: what later tests of drift need of the data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gatewise.artifacts import splits
from gatewise.artifacts.prepared import Prepared, values

MOST_SEQUENCES = 5_000


def summarise(prepared: Prepared) -> pd.DataFrame:
    """A row for each training sequence (a fixed sample of them where there are many).

    Columns: `label` (name, if there are classes), `length`, and `feature-<k>` (mean over the
    sequence's steps) or, for text, `unknown` (share of unknown tokens). Where splits are drawn
    anew for each seed, all sequences count as training data.
    """
    index = prepared.index.reset_index(drop=True)
    if not prepared.card.resample:
        index = index[index["split"] == "train"]
    if len(index) > MOST_SEQUENCES:
        order = np.argsort([splits.position(name) for name in index["id"]])
        index = index.iloc[np.sort(order[:MOST_SEQUENCES])]
    columns: dict[str, np.ndarray] = {
        "label": prepared.card.named(index["label"].to_numpy()),
        "length": index["length"].to_numpy(),
    }
    parts = [
        prepared.sequences[start : start + length]
        for start, length in zip(index["start"], index["length"], strict=True)
    ]
    if prepared.card.modality == "text":
        from gatewise.data.frontends.tokens import UNKNOWN_ID

        shares = [float((part == UNKNOWN_ID).mean()) for part in parts]
        columns["unknown"] = np.array(shares, np.float32)
    else:
        means = np.stack([np.asarray(values(part), np.float64).mean(axis=0) for part in parts])
        columns |= {f"feature-{k}": means[:, k].astype(np.float32) for k in range(means.shape[1])}
    return pd.DataFrame(columns)
