"""What a task is worth without recurrence: the majority class and a linear model.

Both see the same splits as the networks. The linear model is scikit-learn's logistic
regression, on TF-IDF of words and word pairs for text, on each feature's mean, deviation,
minimum and maximum over time for audio and frames; its strength of regularisation is chosen
on the validation split, as the networks' best epoch is.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from gatewise.artifacts import splits
from gatewise.artifacts.prepared import Prepared
from gatewise.evidence import statistics

STRENGTHS = (0.03, 0.3, 3.0, 30.0)
"""Inverse regularisation strengths that are tried."""


def evaluate(
    prepared: Prepared, seeds: list[int], fraction: float, alpha: float, resamples: int
) -> dict[str, Any]:
    """Both baselines' test scores, as plain data for `reports/baselines/<task>.json`.

    Where the examples do not change with the seed, neither does a baseline: it is scored once.

    Args:
        prepared: the task.
        seeds: the study's seeds.
        fraction: share of the training split that the networks train on, and so do these.
        alpha: one minus the intervals' level.
        resamples: of the bootstrap.
    """
    used = seeds if prepared.card.resample or fraction < 1 else seeds[:1]
    examples = _documents(prepared) if prepared.card.modality == "text" else _pooled(prepared)
    scores: dict[str, list[float]] = {"majority": [], "linear": []}
    for seed in used:
        split = splits.for_seed(prepared, seed)
        labels = prepared.index["label"].to_numpy()
        parts = {name: np.flatnonzero(split == name) for name in ("train", "validation", "test")}
        parts["train"] = splits.shrink(parts["train"], labels, fraction, seed)
        scores["majority"].append(_majority(labels, parts, prepared.card.metric))
        scores["linear"].append(_linear(examples, labels, parts, prepared.card))
    text = prepared.card.modality == "text"
    titles = {
        "majority": "majority class",
        "linear": "TF-IDF + logistic regression" if text else "pooled + logistic regression",
    }
    return {
        "task": prepared.card.task,
        "metric": prepared.card.metric,
        "baselines": {
            name: {
                "title": titles[name],
                **statistics.summary(values, alpha, resamples),
                "values": values,
                "seeds": used,
            }
            for name, values in scores.items()
        },
    }


def _majority(labels: np.ndarray, parts: dict[str, np.ndarray], metric: str) -> float:
    most = np.bincount(labels[parts["train"]]).argmax()
    truth = labels[parts["test"]]
    return _score(truth, np.full(len(truth), most), metric)


def _linear(examples: Any, labels: np.ndarray, parts: dict[str, np.ndarray], card: Any) -> float:
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, validation, test = parts["train"], parts["validation"], parts["test"]
    text = card.modality == "text"
    best, chosen = -1.0, None
    for strength in STRENGTHS:
        scale = TfidfTransformer(sublinear_tf=True) if text else StandardScaler()
        model = make_pipeline(scale, LogisticRegression(C=strength, max_iter=300, tol=1e-3))
        model.fit(examples[train], labels[train])
        found = _score(labels[validation], model.predict(examples[validation]), card.metric)
        if found > best:
            best, chosen = found, model
    assert chosen is not None  # noqa: S101  (for the type checker)
    return _score(labels[test], chosen.predict(examples[test]), card.metric)


def _score(truth: np.ndarray, predicted: np.ndarray, metric: str) -> float:
    from sklearn.metrics import accuracy_score, f1_score

    if metric == "accuracy":
        return float(accuracy_score(truth, predicted))
    return float(f1_score(truth, predicted, average="macro", zero_division=0))


def _documents(prepared: Prepared) -> Any:
    """Sparse counts of tokens and pairs of neighbours, `(documents, columns)`."""
    from sklearn.feature_extraction.text import HashingVectorizer

    index = prepared.index
    documents = [
        prepared.sequences[start : start + length].tolist()
        for start, length in zip(index["start"], index["length"], strict=True)
    ]

    def words(document: list[int]) -> list[str]:
        return [str(t) for t in document] + [f"{a} {b}" for a, b in itertools.pairwise(document)]

    counter = HashingVectorizer(
        analyzer=words, n_features=2**18, alternate_sign=False, norm=None, dtype=np.float64
    )
    return counter.transform(documents).tocsr()


def _pooled(prepared: Prepared) -> np.ndarray:
    """Mean, deviation, minimum and maximum of each feature, `(sequences, 4 * features)`."""
    index = prepared.index
    rows = []
    for start, length in zip(index["start"], index["length"], strict=True):
        x = np.asarray(prepared.sequences[start : start + length], dtype=float)
        rows.append(np.concatenate([x.mean(0), x.std(0), x.min(0), x.max(0)]))
    return np.stack(rows)
