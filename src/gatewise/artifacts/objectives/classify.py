"""Classification: one label a sequence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from gatewise.artifacts import digests
from gatewise.artifacts.judged import Judged, JudgedClasses
from gatewise.artifacts.objectives import base
from gatewise.artifacts.objectives.base import Answered, Columns, Shown
from gatewise.config import metrics
from gatewise.config.objectives import TargetKind

if TYPE_CHECKING:
    from torch import Tensor

    from gatewise.config import TrainConfig
    from gatewise.config.metrics import Counts


@dataclass(frozen=True)
class Label(base.Answer):
    """A class, and what the others had of the probability."""

    headings: ClassVar[tuple[str, ...]] = ("label", "probability", "runner-up")

    label: str
    probability: float
    probabilities: dict[str, float]

    @property
    def said(self) -> str:
        """The label."""
        return self.label

    def cells(self) -> tuple[str, ...]:
        """Label, probability and the second most probable label."""
        others = sorted(self.probabilities.items(), key=lambda pair: -pair[1])[1:2]
        second = f"{others[0][0]} {100 * others[0][1]:.1f} %" if others else ""
        return self.label, f"{100 * self.probability:.1f} %", second

    def row(self) -> dict[str, str]:
        """Label and probability."""
        return {"label": self.label, "probability": f"{self.probability:.6g}"}


class Objective(base.Objective):
    """Sequence in, one of several classes out; trained by cross-entropy."""

    title: ClassVar[str] = "classification"
    target: ClassVar[TargetKind] = "class"
    features: ClassVar[tuple[str, ...]] = ("log-mel", "mfcc", "frames", "tokens", "image")
    metrics: ClassVar[tuple[str, ...]] = ("accuracy", "macro_f1", "balanced_accuracy", "log_loss")
    columns: ClassVar[tuple[str, ...]] = ("label", "predicted", "probabilities")
    smoothed: ClassVar[bool] = True
    # Within one class the other metrics say little: its balanced accuracy is its accuracy, its F1
    # lacks the other classes' errors.
    slices: ClassVar[str] = "accuracy"
    headings: ClassVar[tuple[str, str, str]] = ("class", "predicted", "confidence")
    answer: ClassVar[type[base.Answer]] = Label
    pictures: ClassVar[tuple[str, ...]] = ("confusion", "classes")

    kind: Literal["classify"] = "classify"

    def outputs(self, names: Sequence[str]) -> int:
        """A logit a class."""
        return len(names)

    def guessing(self, names: Sequence[str]) -> float | None:
        """Cross-entropy of equal probabilities."""
        return math.log(len(names))

    def loss(self, answered: Answered, train: TrainConfig | None = None) -> Tensor:
        """Mean cross-entropy of logits `(examples, classes)`, in training with smoothed labels."""
        from torch.nn import functional

        smoothing = 0.0 if train is None else train.label_smoothing
        return functional.cross_entropy(
            answered.outputs, answered.targets, label_smoothing=smoothing
        )

    def mean_loss(self, parts: Sequence[Answered]) -> float:
        """Over all examples at once.

        `log_loss`, in contrast, is computed from probabilities as they are stored, and so never
        infinite.
        """
        return float(self.loss(_joined(parts)))

    def predictions(self, parts: Sequence[Answered]) -> Columns:
        """Labels, the most probable classes and the probabilities `(examples, classes)`."""
        import torch

        targets = torch.cat([part.targets for part in parts])
        probabilities = _probabilities(parts)
        return {
            "label": targets.cpu().numpy().astype(np.int32),
            "predicted": probabilities.argmax(1).astype(np.int32),
            "probabilities": probabilities,
        }

    def answers(self, parts: Sequence[Answered], names: Sequence[str]) -> list[base.Answer]:
        """The most probable class of each."""
        return [
            Label(
                label=names[int(row.argmax())],
                probability=float(row.max()),
                probabilities={name: float(p) for name, p in zip(names, row, strict=True)},
            )
            for row in _probabilities(parts)
        ]

    def judge(
        self, parts: Sequence[Answered], truths: Sequence[str], names: Sequence[str]
    ) -> dict[str, Any]:
        """Classes by name; one that this model does not know has the probability zero."""
        probabilities = _probabilities(parts)
        padded = np.pad(probabilities, ((0, 0), (0, 1)))
        place = {name: number for number, name in enumerate(names)}
        own = [place.get(name, len(names)) for name in truths]
        return {
            "truth": np.array(truths, dtype=object),
            "predicted": np.array(names, dtype=object)[probabilities.argmax(axis=1)],
            "loss": metrics.negative_log(padded[np.arange(len(own)), own]),
        }

    @classmethod
    def judgeable(cls, columns: Columns, names: Sequence[str]) -> dict[str, Any]:
        """Classes by name, and the negative log probability of the example's own label."""
        labels, called = columns["label"], np.array(names, dtype=object)
        own = columns["probabilities"][np.arange(len(labels)), labels]
        return {
            "truth": called[labels],
            "predicted": called[columns["predicted"]],
            "loss": metrics.negative_log(own),
        }

    @classmethod
    def judged(cls, columns: Mapping[str, Any], names: Sequence[str]) -> Judged:
        """Classes numbered as in `names`, -1 for those that are not there."""
        place = {name: number for number, name in enumerate(names)}
        label, predicted = (
            np.array([place.get(name, -1) for name in columns[which]], dtype=np.int64)
            for which in ("truth", "predicted")
        )
        return JudgedClasses(label, predicted, np.asarray(columns["loss"], dtype=np.float64))

    @classmethod
    def counts(cls, columns: Columns, group: Any = None, groups: int = 1) -> Counts:
        """`(groups, 4, classes)`, see `gatewise.config.metrics.count`."""
        return metrics.count(columns["label"], columns["probabilities"], group, groups)

    @classmethod
    def digest(cls, ids: Sequence[str], columns: Columns) -> str:
        """Over labels and probabilities."""
        return digests.of_predictions(ids, columns["label"], columns["probabilities"])

    @classmethod
    def truth(cls, columns: Columns) -> list[str]:
        """Numbers of classes."""
        return [str(label) for label in columns["label"].tolist()]

    @classmethod
    def same(cls, columns: Columns, others: Columns) -> np.ndarray:
        """Whether the same class is predicted."""
        equal: np.ndarray = columns["predicted"] == others["predicted"]
        return equal

    @classmethod
    def shown(cls, columns: Columns, names: Sequence[str]) -> Shown:
        """Classes by name, and the probability of what was said."""
        called = [*names, *map(str, range(len(names), columns["probabilities"].shape[1]))]
        return Shown(
            truth=[called[number] for number in columns["label"]],
            answer=[called[number] for number in columns["predicted"]],
            wrong=columns["label"] != columns["predicted"],
            measure=columns["probabilities"].max(axis=1),
        )

    @classmethod
    def confusion(cls, columns: Columns) -> np.ndarray | None:
        """Labels against predictions."""
        classes = columns["probabilities"].shape[1]
        cells = columns["label"].astype(np.int64) * classes + columns["probabilities"].argmax(1)
        return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def _probabilities(parts: Sequence[Answered]) -> np.ndarray:
    """float32 `(examples, classes)`."""
    import torch

    outputs = torch.cat([part.outputs for part in parts])
    softened: np.ndarray = torch.softmax(outputs.float(), dim=1).cpu().numpy()
    return softened


def _joined(parts: Sequence[Answered]) -> Answered:
    import torch

    outputs, lengths, targets, *_ = zip(*parts, strict=True)
    return Answered(torch.cat(outputs), torch.cat(lengths), torch.cat(targets))
