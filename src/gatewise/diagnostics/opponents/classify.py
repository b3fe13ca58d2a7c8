"""Classification without recurrence: the majority class and a linear model.

The linear model is scikit-learn's logistic regression, on TF-IDF of words and word pairs for text,
on each feature's mean, deviation, minimum and maximum over time for audio and frames, on all pixels
(of large images, on those of one made smaller) for images; its strength
of regularisation is chosen on the validation split, as the networks' best epoch is. The majority
class goes by the shares that the classes have of the training split: where a metric asks for
probabilities, it gives those.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gatewise.artifacts.baselines import LINEAR, GroupCounts
from gatewise.artifacts.prepared import Prepared, values
from gatewise.config import SPLITS, Pixels
from gatewise.config.metrics import LOSS, count
from gatewise.data.frontends.images import averaged
from gatewise.diagnostics.opponents import base
from gatewise.diagnostics.opponents.base import Rows

if TYPE_CHECKING:
    from gatewise.config.metrics import Counts

STRENGTHS = (0.03, 0.3, 3.0, 30.0)
"""Inverse regularisation strengths that are tried."""
SEEN = 32
"""Most pixels of an image's height and width that the linear model sees."""
Labels = npt.NDArray[np.integer]
"""`(examples,)`."""
Probabilities = npt.NDArray[np.float64]
"""`(examples, classes)`."""


class Opponents(base.Opponents):
    """The majority class and logistic regression."""

    def __init__(self, prepared: Prepared) -> None:
        super().__init__(prepared)
        self.classes = len(prepared.card.labels)
        self.labels = prepared.index["label"].to_numpy()
        self.text = prepared.card.modality == "text"
        self.image = prepared.card.modality == "image"
        self._told: tuple[npt.NDArray[np.intp], Probabilities] | None = None

    @property
    def titles(self) -> dict[str, str]:
        """Both, by name."""
        return {
            "majority": "majority class",
            LINEAR: f"{self._seen} + logistic regression",
        }

    @property
    def _seen(self) -> str:
        if self.image:
            return "pixels"
        return "TF-IDF" if self.text else "pooled"

    def score(self, rows: Rows) -> dict[str, float]:
        """Test scores of both."""
        return {"majority": self._majority(rows), LINEAR: self._linear(rows)}

    def _majority(self, rows: Rows) -> float:
        seen = self.labels[rows["train"]]
        shares = np.bincount(seen, minlength=self.classes) / len(seen)
        return self._score(rows["test"], np.broadcast_to(shares, (len(rows["test"]), self.classes)))

    def _linear(self, rows: Rows) -> float:
        from sklearn.feature_extraction.text import TfidfTransformer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        train, validation, test = (rows[name] for name in SPLITS)
        best, told = -math.inf, np.zeros((len(test), self.classes))
        for strength in STRENGTHS:
            # Pixels share one scale; each by its own deviation, hardly used ones would count most.
            scale = TfidfTransformer(sublinear_tf=True) if self.text else StandardScaler()
            scale = "passthrough" if self.image else scale
            model = make_pipeline(scale, LogisticRegression(C=strength, max_iter=300, tol=1e-3))
            model.fit(self._examples[train], self.labels[train])
            held_out = self._score(validation, self._probabilities(model, validation))
            gain = self.metric.gain(held_out)
            if gain > best:
                best, told = gain, self._probabilities(model, test)
        self._told = test, told
        return self._score(test, told)

    def counts(self) -> dict[str, GroupCounts]:
        """Of the linear model."""
        if self._told is None:
            return {}
        rows, probabilities = self._told
        groups = self.prepared.index["group"].to_numpy()[rows]
        names, place = np.unique(groups.astype(str), return_inverse=True)
        counted = count(self.labels[rows], probabilities, place, len(names))
        if not self.metric.by_class:
            counted = counted.sum(axis=-1, keepdims=True)
        if self.metric.name != "log_loss":
            counted[:, LOSS] = 0  # which would differ in its last digits between machines
        return {LINEAR: {str(name): _sparse(own) for name, own in zip(names, counted, strict=True)}}

    def _probabilities(self, model: Any, rows: npt.NDArray[np.intp]) -> Probabilities:
        """What the model gives each class; none to those that it was not trained on."""
        probabilities = np.zeros((len(rows), self.classes))
        probabilities[:, model.classes_] = model.predict_proba(self._examples[rows])
        return probabilities

    def _score(self, rows: npt.NDArray[np.intp], probabilities: Probabilities) -> float:
        return float(self.metric.from_counts(count(self.labels[rows], probabilities))[0])

    @functools.cached_property
    def _examples(self) -> Any:
        """What the linear model sees of every example."""
        if self.image:
            return _pixels(self.prepared)
        return _documents(self.prepared) if self.text else _pooled(self.prepared)


def _sparse(counts: Counts) -> tuple[tuple[int, int, float], ...]:
    """Row, class and count of what is above zero in counts `(rows, classes)`."""
    return tuple(
        (int(row), int(column), float(counts[row, column])) for row, column in np.argwhere(counts)
    )


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


def _pixels(prepared: Prepared) -> npt.NDArray[np.float64]:
    """All pixels of each image, from 0 to 1, `(images, height * width * channels)`."""
    front_end = Pixels(**prepared.card.front_end)
    height, width, channels = front_end.height, front_end.width, front_end.channels
    size = (min(height, SEEN), min(width, SEEN))
    rows = []
    for start in prepared.index["start"]:
        steps = np.asarray(prepared.sequences[start : start + front_end.steps])
        rows.append(averaged(steps.reshape(height, width, channels), *size).ravel())
    return values(np.stack(rows)).astype(np.float64)


def _pooled(prepared: Prepared) -> npt.NDArray[np.float64]:
    """Mean, deviation, minimum and maximum of each feature, `(sequences, 4 * features)`."""
    index = prepared.index
    rows = []
    for start, length in zip(index["start"], index["length"], strict=True):
        x = np.asarray(prepared.sequences[start : start + length], dtype=float)
        rows.append(np.concatenate([x.mean(0), x.std(0), x.min(0), x.max(0)]))
    return np.stack(rows)
