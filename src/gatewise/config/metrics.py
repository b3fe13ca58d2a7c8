"""What a task can be judged by: the one registry of metrics.

A metric is computed from counts that add up over examples, test groups and resamples, so training,
baselines, bootstraps and the gate count alike and none of them knows a metric by name. What is
counted is up to the objective (`gatewise.artifacts.objectives`), each of which has metrics of its
own. A new metric is one more `Metric` in `METRICS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Counts = npt.NDArray[np.float64]
    """`(..., 4, classes)`; the four rows are `RIGHT`, `PREDICTED`, `LABELLED` and `LOSS`."""

EXAMPLES, SCALED, SYMMETRIC, PINBALL, COVERED, CLAIMED = range(6)
"""Rows of counts of forecasts, all sums over examples of means over the horizon, in one column:
the number of examples, absolute errors in units of the scale, symmetric relative errors, twice the
quantile losses in units of the scale, and the shares of values within the interval as they are and
as it claims them."""
EDITS, SYMBOLS, WHOLE, SEQUENCES = range(4)
"""Rows of counts of transcripts and of texts that are generated, in one column: symbols that had to
be inserted, deleted or replaced, symbols of the references, sequences without an error, and
sequences."""
SAID, WANTED = 4, 5
"""Further rows of generated texts: words that were said, and words of the reference that is nearest
in length."""
MATCHES, TOTALS = slice(6, 10), slice(10, 14)
"""And: runs of one to four words that the references have, and all of them."""
SAID_RUNS, WANTED_RUNS, COMMON_RUNS = slice(14, 32, 3), slice(15, 32, 3), slice(16, 32, 3)
"""And: runs of one to six characters that were said, of the best reference, and of both."""
TEXT_ROWS = 32
RIGHT, PREDICTED, LABELLED, LOSS = range(4)
"""Right predictions, predictions and labels of each class, and the summed negative log
probabilities that its examples gave to their own label."""
SMALLEST = float(np.finfo(np.float32).tiny)
"""What a probability of zero counts as: the smallest normal number of stored probabilities."""


@dataclass(frozen=True)
class Unit:
    """How values of a metric are shown to people."""

    scale: float
    """Factor from the value to what is shown."""
    symbol: str
    """Behind a score: ` %`."""
    difference: str
    """Behind a difference: `points`."""
    digits: int
    """Decimals of a score; differences have one more."""


PERCENT = Unit(100.0, " %", "points", 1)
POINTS = Unit(100.0, "", "points", 1)
NATS = Unit(1.0, " nats", "nats", 3)
SCALED_ERRORS = Unit(1.0, "", "of the naive error", 3)


@dataclass(frozen=True)
class Metric:
    """A way to score predictions, and what there is to know of it."""

    name: str
    """As `params.yaml`, `run.json` and MLflow call it."""
    title: str
    """As people call it."""
    higher_is_better: bool
    unit: Unit
    from_counts: Callable[[Counts], Counts]
    """Counts `(..., rows, classes)` to scores `(...)`; NaN where nothing was counted."""
    by_class: bool
    """Whether classes count by themselves; if not, counts may be summed over classes first."""
    rope: float | None = None
    """Region of practical equivalence where that of shares (`compare.rope`) does not suit; the
    tolerance is as many times larger as it is there."""

    @property
    def direction(self) -> Literal["higher", "lower"]:
        """Which values are better."""
        return "higher" if self.higher_is_better else "lower"

    @property
    def mode(self) -> Literal["max", "min"]:
        """The direction as Lightning's callbacks and MLflow say it."""
        return "max" if self.higher_is_better else "min"

    def gain(self, difference: float) -> float:
        """A difference turned so that above zero is better."""
        return difference if self.higher_is_better else -difference

    def scaled(self, value: float) -> float:
        """A score or a difference as people read it: 96.1 for an accuracy of 0.961."""
        return self.unit.scale * value

    @property
    def axis(self) -> str:
        """Title of an axis of scaled scores: `accuracy, %`."""
        symbol = self.unit.symbol.strip()
        return f"{self.title}, {symbol}" if symbol else self.title

    @property
    def difference_axis(self) -> str:
        """Title of an axis of scaled differences: `difference in accuracy, points`."""
        return f"difference in {self.title}, {self.unit.difference}"

    def interval(self, bounds: tuple[float, float]) -> str:
        """Bounds of a score without their unit: `95.2 to 96.9`."""
        return " to ".join(map(self.number, bounds))

    def difference_interval(self, bounds: tuple[float, float]) -> str:
        """Bounds of a difference without their unit: `+0.12 to +1.70`."""
        return " to ".join(map(self.difference, bounds))

    def show(self, value: float) -> str:
        """A score for people: `96.1 %`, `0.143 nats`."""
        return f"{self.number(value)}{self.unit.symbol}"

    def number(self, value: float) -> str:
        """A score without its unit: `96.1`."""
        return f"{self.unit.scale * value:.{self.unit.digits}f}"

    def show_difference(self, value: float) -> str:
        """A difference for people: `+0.92 points`, `-0.0031 nats`."""
        return f"{self.difference(value)} {self.unit.difference}"

    def difference(self, value: float) -> str:
        """A difference without its unit: `+0.92`."""
        return f"{self.unit.scale * value:+.{self.unit.digits + 1}f}"

    def show_amount(self, value: float) -> str:
        """A margin, a fall or a spread for people, without a sign: `1 points`, `0.01 nats`."""
        return f"{self.unit.scale * value:.3g} {self.unit.difference}"


def count(
    labels: npt.NDArray[np.integer],
    probabilities: npt.NDArray[np.floating],
    group: npt.NDArray[np.integer] | None = None,
    groups: int = 1,
) -> Counts:
    """Counts of each group, `(groups, 4, classes)`.

    Args:
        labels: class of each example, `(examples,)`.
        probabilities: `(examples, classes)`; the first of equally probable classes is predicted.
        group: index of each example's group; all examples are one group if left out.
        groups: how many groups there are.
    """
    predicted = probabilities.argmax(axis=1)
    own = probabilities[np.arange(len(labels)), labels]
    return count_predicted(
        labels, predicted, negative_log(own), probabilities.shape[1], group, groups
    )


def negative_log(own: npt.NDArray[np.floating]) -> Counts:
    """Negative log probabilities, in nats, of probabilities `(examples,)` of the own label."""
    losses: Counts = -np.log(np.maximum(own.astype(np.float64), SMALLEST))
    return losses


def count_predicted(
    labels: npt.NDArray[np.integer],
    predicted: npt.NDArray[np.integer],
    losses: npt.NDArray[np.floating],
    classes: int,
    group: npt.NDArray[np.integer] | None = None,
    groups: int = 1,
) -> Counts:
    """As `count`, where predictions and losses `(examples,)` are known apart.

    A prediction of -1 is one of no class that is known here: wrong, and counted nowhere else.
    """
    truth, guess = labels.astype(np.int64), predicted.astype(np.int64)
    place = np.zeros(len(labels), np.int64) if group is None else group.astype(np.int64)

    def add(
        values: npt.NDArray[np.int64],
        chosen: npt.NDArray[np.bool_] | slice = slice(None),
        weights: npt.NDArray[np.floating] | None = None,
    ) -> Counts:
        flat = (place * classes + values)[chosen]
        sums = np.bincount(flat, weights, minlength=groups * classes)
        return sums.astype(np.float64).reshape(groups, classes)

    return np.stack(
        [
            add(truth, truth == guess),
            add(guess, guess >= 0),
            add(truth),
            add(truth, weights=losses),
        ],
        axis=1,
    )


def _accuracy(counts: Counts) -> Counts:
    return _ratio(counts[..., RIGHT, :].sum(-1), counts[..., LABELLED, :].sum(-1))


def _macro_f1(counts: Counts) -> Counts:
    """Over classes that occur as label or prediction, as in scikit-learn and torchmetrics."""
    both = counts[..., PREDICTED, :] + counts[..., LABELLED, :]
    return _mean(_ratio(2 * counts[..., RIGHT, :], both), both > 0)


def _balanced_accuracy(counts: Counts) -> Counts:
    """Mean recall over classes that occur as label, as in scikit-learn."""
    labelled = counts[..., LABELLED, :]
    return _mean(_ratio(counts[..., RIGHT, :], labelled), labelled > 0)


def _log_loss(counts: Counts) -> Counts:
    return _ratio(counts[..., LOSS, :].sum(-1), counts[..., LABELLED, :].sum(-1))


def _mase(counts: Counts) -> Counts:
    return _ratio(counts[..., SCALED, :].sum(-1), counts[..., EXAMPLES, :].sum(-1))


def _smape(counts: Counts) -> Counts:
    return _ratio(counts[..., SYMMETRIC, :].sum(-1), counts[..., EXAMPLES, :].sum(-1))


def _quantile_loss(counts: Counts) -> Counts:
    return _ratio(counts[..., PINBALL, :].sum(-1), counts[..., EXAMPLES, :].sum(-1))


def _coverage_gap(counts: Counts) -> Counts:
    off = np.abs(counts[..., COVERED, :].sum(-1) - counts[..., CLAIMED, :].sum(-1))
    return _ratio(off, counts[..., EXAMPLES, :].sum(-1))


def _symbol_error_rate(counts: Counts) -> Counts:
    return _ratio(counts[..., EDITS, :].sum(-1), counts[..., SYMBOLS, :].sum(-1))


def _sequence_accuracy(counts: Counts) -> Counts:
    return _ratio(counts[..., WHOLE, :].sum(-1), counts[..., SEQUENCES, :].sum(-1))


def _bleu(counts: Counts) -> Counts:
    """Papineni et al. 2002, up to four words, as sacrebleu computes it unless told otherwise.

    Orders without a match count half of one match, the next a quarter and so on (NIST's smoothing),
    so that a few short texts have a score; where no text has four words, it is zero.
    """
    sums = counts.sum(-1)
    matches, totals = sums[..., MATCHES], sums[..., TOTALS]
    none = matches == 0
    smoothed = np.where(none, 0.5 ** none.cumsum(-1), matches)
    precisions = np.divide(smoothed, totals, out=np.ones_like(smoothed), where=totals > 0)
    said, wanted = sums[..., SAID], sums[..., WANTED]
    shortness = np.divide(wanted, said, out=np.ones_like(said), where=said > 0)
    penalty = np.exp(np.minimum(0.0, 1 - shortness))
    score = penalty * np.exp(np.log(precisions).mean(-1))
    possible = (totals > 0).all(-1) & (matches > 0).any(-1)
    return _counted(np.where(possible, score, 0.0), sums)


def _chrf(counts: Counts) -> Counts:
    """chrF2 (Popovic 2015): recall counts twice; as sacrebleu averages over orders that occur."""
    sums = counts.sum(-1)
    said, wanted = sums[..., SAID_RUNS], sums[..., WANTED_RUNS]
    common, both = sums[..., COMMON_RUNS], (said > 0) & (wanted > 0)
    orders = both.sum(-1)
    precision = _share(_share(common, said, both).sum(-1), orders)
    recall = _share(_share(common, wanted, both).sum(-1), orders)
    return _counted(_share(5 * precision * recall, 4 * precision + recall), sums)


def _share(above: Counts, below: npt.NDArray[Any], where: Any = True) -> Counts:
    """A ratio, zero where there is nothing to divide by."""
    share: Counts = np.divide(above, below, out=np.zeros_like(above), where=(below > 0) & where)
    return share


def _counted(scores: Counts, sums: Counts) -> Counts:
    """Scores where there was an example; NaN elsewhere."""
    known: Counts = np.where(sums[..., SEQUENCES] > 0, scores, np.nan)
    return known


def _mean(values: Counts, present: npt.NDArray[np.bool_]) -> Counts:
    return _ratio(np.where(present, values, 0.0).sum(-1), present.sum(-1))


def _ratio(above: Counts, below: npt.NDArray[Any]) -> Counts:
    ratio: Counts = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return ratio


METRICS = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "accuracy", True, PERCENT, _accuracy, by_class=False),
        Metric("macro_f1", "macro-F1", True, PERCENT, _macro_f1, by_class=True),
        Metric("balanced_accuracy", "balanced accuracy", True, PERCENT, _balanced_accuracy, True),
        Metric("log_loss", "log loss", False, NATS, _log_loss, by_class=False),
        Metric("mase", "MASE", False, SCALED_ERRORS, _mase, by_class=False, rope=0.01),
        Metric("smape", "sMAPE", False, PERCENT, _smape, by_class=False),
        Metric("quantile_loss", "quantile loss", False, SCALED_ERRORS, _quantile_loss, False, 0.01),
        Metric("coverage_gap", "coverage gap", False, PERCENT, _coverage_gap, by_class=False),
        Metric("symbol_error_rate", "symbol error rate", False, PERCENT, _symbol_error_rate, False),
        Metric(
            "sequence_accuracy",
            "share of sequences right",
            True,
            PERCENT,
            _sequence_accuracy,
            False,
        ),
        Metric("bleu", "BLEU", True, POINTS, _bleu, by_class=False),
        Metric("chrf", "chrF", True, POINTS, _chrf, by_class=False),
        Metric("token_error_rate", "token error rate", False, PERCENT, _symbol_error_rate, False),
        Metric("exact_match", "share of texts right", True, PERCENT, _sequence_accuracy, False),
    )
}
"""All metrics by name; which one is a task's primary metric is its `metric`."""
