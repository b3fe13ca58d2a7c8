"""What a task is worth without recurrence: the majority class and a linear model.

Both see the same splits as the networks. The linear model is scikit-learn's logistic
regression, on TF-IDF of words and word pairs for text, on each feature's mean, deviation,
minimum and maximum over time for audio and frames; its strength of regularisation is chosen
on the validation split, as the networks' best epoch is. The majority class goes by the shares
that the classes have of the training split: where a metric asks for probabilities, it gives those.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gatewise.artifacts import splits
from gatewise.artifacts.baselines import BaselineReport, BaselineScore
from gatewise.artifacts.prepared import Prepared
from gatewise.config import SPLITS
from gatewise.config.metrics import METRICS, Metric, count
from gatewise.evidence import statistics

STRENGTHS = (0.03, 0.3, 3.0, 30.0)
"""Inverse regularisation strengths that are tried."""
Rows = Mapping[str, npt.NDArray[np.intp]]
"""Rows of the index by split."""
Labels = npt.NDArray[np.integer]
"""`(examples,)`."""
Probabilities = npt.NDArray[np.float64]
"""`(examples, classes)`."""


def evaluate(
    prepared: Prepared, seeds: Sequence[int], fraction: float, alpha: float, resamples: int
) -> BaselineReport:
    """Both baselines' test scores, for `reports/baselines/<task>.json`.

    Where the examples do not change with the seed, neither does a baseline: it is scored once.

    Args:
        prepared: the task.
        seeds: the study's seeds.
        fraction: share of the training split that the networks train on, and so do these.
        alpha: one minus the intervals' level.
        resamples: of the bootstrap.
    """
    used = seeds if prepared.card.resample or fraction < 1 else seeds[:1]
    metric, classes = METRICS[prepared.card.metric], len(prepared.card.labels)
    labels = prepared.index["label"].to_numpy()
    text = prepared.card.modality == "text"
    examples = _documents(prepared) if text else _pooled(prepared)
    scores: dict[str, list[float]] = {"majority": [], "linear": []}
    for seed in used:
        rows = _rows(prepared, seed, fraction)
        scores["majority"].append(_majority(labels, rows, metric, classes))
        scores["linear"].append(_linear(examples, labels, rows, metric, classes, text))
    titles = {
        "majority": "majority class",
        "linear": "TF-IDF + logistic regression" if text else "pooled + logistic regression",
    }
    baselines = {}
    for name, values in scores.items():
        brief = statistics.summary(values, alpha, resamples)
        baselines[name] = BaselineScore(
            title=titles[name],
            mean=brief.mean,
            std=brief.std,
            ci=brief.ci,
            values=tuple(values),
            seeds=tuple(used),
        )
    return BaselineReport(task=prepared.card.task, metric=metric.name, baselines=baselines)


def _rows(prepared: Prepared, seed: int, fraction: float) -> Rows:
    """What the networks see of this seed."""
    split = splits.for_seed(prepared, seed)
    rows = {name: np.flatnonzero(split == name) for name in SPLITS}
    labels = prepared.index["label"].to_numpy()
    return {**rows, "train": splits.shrink(rows["train"], labels, fraction, seed)}


def _majority(labels: Labels, rows: Rows, metric: Metric, classes: int) -> float:
    shares = np.bincount(labels[rows["train"]], minlength=classes) / len(rows["train"])
    truth = labels[rows["test"]]
    return _score(truth, np.broadcast_to(shares, (len(truth), classes)), metric)


def _linear(
    examples: Any, labels: Labels, rows: Rows, metric: Metric, classes: int, text: bool
) -> float:
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, validation, test = (rows[name] for name in SPLITS)
    best, score = -math.inf, math.nan
    for strength in STRENGTHS:
        scale = TfidfTransformer(sublinear_tf=True) if text else StandardScaler()
        model = make_pipeline(scale, LogisticRegression(C=strength, max_iter=300, tol=1e-3))
        model.fit(examples[train], labels[train])
        held_out = _probabilities(model, examples[validation], classes)
        gain = metric.gain(_score(labels[validation], held_out, metric))
        if gain > best:
            best = gain
            score = _score(labels[test], _probabilities(model, examples[test], classes), metric)
    return score


def _probabilities(model: Any, examples: Any, classes: int) -> Probabilities:
    """What the model gives each class; none to those that it was not trained on."""
    probabilities = np.zeros((examples.shape[0], classes))
    probabilities[:, model.classes_] = model.predict_proba(examples)
    return probabilities


def _score(truth: Labels, probabilities: Probabilities, metric: Metric) -> float:
    return float(metric.from_counts(count(truth, probabilities))[0])


def _documents(prepared: Prepared) -> Any:
    """Sparse counts of tokens and pairs of neighbours, `(documents, columns)`.

    Columns in which no document has anything are left out: their weights would stay zero, but take
    memory and time for every label.
    """
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
    counts = counter.transform(documents).tocsc()
    return counts[:, np.diff(counts.indptr) > 0].tocsr()


def _pooled(prepared: Prepared) -> npt.NDArray[np.float64]:
    """Mean, deviation, minimum and maximum of each feature, `(sequences, 4 * features)`."""
    index = prepared.index
    rows = []
    for start, length in zip(index["start"], index["length"], strict=True):
        x = np.asarray(prepared.sequences[start : start + length], dtype=float)
        rows.append(np.concatenate([x.mean(0), x.std(0), x.min(0), x.max(0)]))
    return np.stack(rows)
