"""The contract of an objective.

From targets to metrics an example goes through the same hands whatever the kind of task:

    targets  ->  outputs, loss          while training
    outputs  ->  columns of predictions, a value an example
    columns  ->  counts, which add up over examples, groups and resamples
    counts   ->  metrics (`gatewise.config.metrics`)

What needs torch imports it where it is needed: most who ask have none loaded.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from pydantic import PrivateAttr

from gatewise.artifacts.judged import Judged
from gatewise.config.metrics import METRICS, Metric
from gatewise.config.objectives import ObjectiveOptions

if TYPE_CHECKING:
    import pyarrow as pa
    from torch import Tensor

    from gatewise.config import TrainConfig
    from gatewise.config.metrics import Counts

Columns = Mapping[str, Any]
"""Predictions by column, each an array `(examples, ...)` or a list of arrays of their own lengths;
truth and answer side by side."""


OTHERWISE = -1
"""In a target of symbols: what follows is another way to say the same, and as right."""
UNHEARD = -2
"""In a target of symbols: one that no training example has, so that no model can say it."""
UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""What such a symbol is called."""
SILENT = -1
"""Pads what a model said."""


@dataclass(frozen=True)
class Saying:
    """How a model says its answer, symbol by symbol."""

    symbols: int
    """Names of symbols; the end is one more output."""
    attention: Literal["none", "dot", "additive"] = "dot"
    """How the decoder looks back at the input."""
    beam: int = 1
    """Texts that are followed while one is said; 1 takes the likeliest symbol of every step."""
    longest: int | None = None
    """Most symbols that are said; the longest of training where it is left open."""


class Answered(NamedTuple):
    """What a model gave for a batch, and what it should have given."""

    outputs: Tensor
    """`(batch, outputs)`, or `(batch, time, outputs)` where every step has some. Of a model that
    says its answer, in training logits `(batch, steps, symbols and end)`; else log-probabilities of
    the first of the right answers, symbol by symbol with the end, `(batch, steps)`, or where none
    is known, that of what was said, `(batch, 1)`."""
    lengths: Tensor
    """Steps of each input, `(batch,)`."""
    targets: Tensor
    """Classes `(batch,)`, or `(batch, longest, ...)` padded with zeros at the end."""
    target_lengths: Tensor | None = None
    """Of each target, `(batch,)`; nothing for classes."""
    said: Tensor | None = None
    """Symbols that the model said by itself, int64 `(batch, longest)`, padded with `SILENT` at the
    end; nothing where its answer is read from its outputs."""


@dataclass(frozen=True)
class Shown:
    """Examples as people read them, side by side."""

    truth: list[str]
    """What should have been answered."""
    answer: list[str]
    """What was."""
    wrong: np.ndarray
    """bool `(examples,)`."""
    measure: np.ndarray
    """How bad a wrong answer is, `(examples,)`; the last of the objective's `headings`."""


class Answer(ABC):
    """What a model says about one item; a dataclass whose fields are what programs get."""

    headings: ClassVar[tuple[str, ...]]
    """Of `cells`."""

    several: ClassVar[bool] = False
    """Whether more than one answer can be right, each a line of what is known to be true."""

    @property
    @abstractmethod
    def said(self) -> str:
        """The answer in a word or a line, to be compared with what is known to be true."""

    def right(self, truth: str) -> bool:
        """Whether it is what is known to be true."""
        return self.said == truth

    @abstractmethod
    def cells(self) -> tuple[str, ...]:
        """The answer in a table for people."""

    @abstractmethod
    def row(self) -> dict[str, str]:
        """The answer in a row of a CSV file, by column."""

    def plain(self) -> dict[str, Any]:
        """The answer as JSON has it."""
        return asdict(self)  # type: ignore[call-overload,no-any-return]


class Objective(ObjectiveOptions, ABC):
    """What a task's targets are, and everything that follows from them.

    Methods of the class read predictions as they were stored and hang on no option; methods of the
    object know the task's.
    """

    columns: ClassVar[tuple[str, ...]]
    """Columns of stored predictions beside `id` and `group`, by which they are known."""
    per_step: ClassVar[bool] = False
    """Whether a model gives outputs at every step, or once for the whole sequence."""
    cut: ClassVar[bool] = True
    """Whether a sequence without its beginning still has the same target."""
    grouped: ClassVar[bool] = True
    """Whether all examples of a group lie in one split; if not, splits lie apart in time."""
    headings: ClassVar[tuple[str, str, str]]
    """What tables of examples call truth, answer, and how bad an answer is."""
    answer: ClassVar[type[Answer]]
    """What is answered about one item."""
    pictures: ClassVar[tuple[str, ...]] = ()
    """Which pictures suit, by the names of `gatewise.report.pictures`."""
    most_confused: ClassVar[float] = math.inf
    """Names beyond which nobody draws what was taken for what."""

    _names: tuple[str, ...] = PrivateAttr(())

    def of_task(self, names: Sequence[str]) -> Self:
        """The same, asked in a task whose targets are made of these `names`."""
        asks = self.model_copy()
        asks._names = tuple(names)
        return asks

    # --- models and training ----------------------------------------------------------------

    @abstractmethod
    def outputs(self, names: Sequence[str]) -> int:
        """How many numbers a model gives (a step), for a task with these names of targets."""

    def saying(self, names: Sequence[str]) -> Saying | None:
        """How a model says its answer, for targets with these names; nothing if it says none."""
        del names
        return None

    @abstractmethod
    def guessing(self, names: Sequence[str]) -> float | None:
        """The loss of one who knows nothing; `None` where that hangs on the data."""

    @abstractmethod
    def loss(self, answered: Answered, train: TrainConfig | None = None) -> Tensor:
        """Mean over the examples, as it is lowered in training, or without settings as it is."""

    @abstractmethod
    def predictions(self, parts: Sequence[Answered]) -> Columns:
        """Truth and answer of every example, in the order of `parts`: `columns`."""

    def scores(self, parts: Sequence[Answered]) -> dict[str, float]:
        """Every metric of this objective, and `loss`; in single precision, all of them."""
        counts = self.counts(self.predictions(parts))[0]
        values = [(m.name, float(np.float32(m.from_counts(counts)))) for m in self.registered()]
        # Columns of the curves stay where they were: what is added to the registry comes behind.
        return dict([*values[:2], ("loss", self.mean_loss(parts)), *values[2:]])

    def mean_loss(self, parts: Sequence[Answered]) -> float:
        """Mean loss over all examples."""
        losses = [float(self.loss(part)) * len(part.lengths) for part in parts]
        return float(np.float32(sum(losses) / sum(len(part.lengths) for part in parts)))

    @classmethod
    def registered(cls) -> list[Metric]:
        """Metrics of this objective, as the registry orders them."""
        return [metric for metric in METRICS.values() if metric.name in cls.metrics]

    @abstractmethod
    def answers(self, parts: Sequence[Answered], names: Sequence[str]) -> list[Answer]:
        """What to tell who asks, in the order of `parts`; what targets hold of truth is unknown."""

    @abstractmethod
    def judge(
        self, parts: Sequence[Answered], truths: Sequence[str], names: Sequence[str]
    ) -> dict[str, Any]:
        """As `judgeable`, of outputs for examples of other data.

        Args:
            parts: outputs for those examples, with those data's targets.
            truths: what should be answered, as `judgeable` has it in `truth`.
            names: of what this task's targets are made of.
        """

    # --- stored predictions -----------------------------------------------------------------

    @classmethod
    @abstractmethod
    def counts(cls, columns: Columns, group: Any = None, groups: int = 1) -> Counts:
        """What metrics are computed from, `(groups, rows, columns)`.

        Args:
            columns: predictions.
            group: index of each example's group; all are one group if left out.
            groups: how many groups there are.
        """

    @classmethod
    @abstractmethod
    def digest(cls, ids: Sequence[str], columns: Columns) -> str:
        """sha256 over ids and what follows from no other column, whatever the file's format."""

    @classmethod
    @abstractmethod
    def truth(cls, columns: Columns) -> list[str]:
        """What should have been answered, a text an example: equal ones, equal test sets."""

    @classmethod
    @abstractmethod
    def same(cls, columns: Columns, others: Columns) -> np.ndarray:
        """Which examples two runs answer alike, bool `(examples,)`."""

    @classmethod
    @abstractmethod
    def judgeable(cls, columns: Columns, names: Sequence[str]) -> dict[str, Any]:
        """Columns that mean the same for any model: `truth`, and what `judged` needs."""

    @classmethod
    @abstractmethod
    def judged(cls, columns: Mapping[str, Any], names: Sequence[str]) -> Judged:
        """Examples of `judgeable` columns, with classes numbered as in `names`."""

    @classmethod
    @abstractmethod
    def shown(cls, columns: Columns, names: Sequence[str]) -> Shown:
        """Examples for people.

        Args:
            columns: predictions.
            names: of what targets are made of; numbers stand in for missing ones.
        """

    @classmethod
    def confusion(cls, columns: Columns) -> np.ndarray | None:
        """What was taken for what, int64 `(names, names)`; nothing where that makes no sense."""
        del columns
        return None

    @classmethod
    def read(cls, table: pa.Table) -> Columns:
        """Predictions as they were stored; columns of lists of equal length become matrices."""
        return {name: _array(table[name]) for name in cls.columns}


def _array(column: pa.ChunkedArray) -> Any:
    """An Arrow column as an array; lists of differing lengths as a list of arrays."""
    import pyarrow as pa

    if not (pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type)):
        return column.to_numpy()
    values = column.combine_chunks()
    lengths = values.value_lengths().to_numpy() if len(values) else np.zeros(0, np.int64)
    flat = values.flatten().to_numpy(zero_copy_only=False)
    if len(set(lengths.tolist())) <= 1:
        return flat.reshape(len(values), -1)
    return np.split(flat, np.cumsum(lengths)[:-1])
