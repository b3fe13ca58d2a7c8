"""Forecasting: the history of a series in, the values of a horizon out.

All steps of the horizon are given at once (direct multi-step forecasts), as quantiles of what the
seasonal naive forecast leaves. Both are in units of the series' own scale, the mean absolute error
of the seasonal naive forecast within its history, so that series of all sizes weigh alike and the
absolute error of the median is MASE itself (Hyndman & Koehler 2006).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from gatewise.artifacts.objectives import base
from gatewise.artifacts.objectives._counted import COUNTS, Counted
from gatewise.artifacts.objectives.base import Answered, Columns, Shown
from gatewise.config.metrics import SCALED
from gatewise.config.objectives import TargetKind
from gatewise.config.strict import Fraction

if TYPE_CHECKING:
    from torch import Tensor

    from gatewise.config import TrainConfig

ACTUAL, NAIVE, SCALE = range(3)
"""Columns of a target, of every step of the horizon: the value, the seasonal naive forecast, and
the scale of the series."""
SHOWN = 6
"""Values of a horizon that a table has room for."""
LONGEST = 10_000
"""Steps of a horizon or a season."""
Steps = Annotated[int, Field(ge=1, le=LONGEST)]


@dataclass(frozen=True)
class Forecast(base.Answer):
    """The values to come, with an interval for each."""

    headings: ClassVar[tuple[str, ...]] = ("forecast", "interval")

    values: list[float]
    """Medians, a step of the horizon each."""
    lower: list[float]
    upper: list[float]
    coverage: float
    """Share of values that the interval claims to hold."""

    @property
    def said(self) -> str:
        """The values."""
        return _brief(self.values)

    def cells(self) -> tuple[str, ...]:
        """The values, and the interval of the first."""
        low, high = self.lower[0], self.upper[0]
        return self.said, f"{low:.4g} to {high:.4g} ({self.coverage:.0%} of values, first step)"

    def row(self) -> dict[str, str]:
        """All of it."""
        named = {"values": self.values, "lower": self.lower, "upper": self.upper}
        return {name: " ".join(f"{v:.6g}" for v in values) for name, values in named.items()}


class Objective(Counted):
    """History in, horizon out; trained by the quantile loss."""

    title: ClassVar[str] = "forecasting"
    target: ClassVar[TargetKind] = "values"
    target_width: ClassVar[int] = 3
    features: ClassVar[tuple[str, ...]] = ("series",)
    metrics: ClassVar[tuple[str, ...]] = ("mase", "smape", "quantile_loss", "coverage_gap")
    columns: ClassVar[tuple[str, ...]] = ("actual", "forecast", "lower", "upper", COUNTS)
    grouped: ClassVar[bool] = False
    slices: ClassVar[str] = "mase"
    headings: ClassVar[tuple[str, str, str]] = ("actual", "forecast", "MASE")
    answer: ClassVar[type[base.Answer]] = Forecast
    pictures: ClassVar[tuple[str, ...]] = ("fans",)

    kind: Literal["forecast"] = "forecast"
    horizon: Steps
    """Steps that are forecast."""
    season: Steps
    """Steps of a season, 12 for months; 1 where there is none: naive is then the last value."""
    quantiles: tuple[Fraction, ...] = (0.1, 0.5, 0.9)
    """What is given of each value's distribution: rising, and the median in the middle."""

    @field_validator("quantiles")
    @classmethod
    def _around_the_median(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if len(value) % 2 == 0 or value[len(value) // 2] != 0.5 or list(value) != sorted({*value}):
            raise ValueError(
                f"{list(value)} must rise and have the median, 0.5, in the middle; write [0.5] or "
                "[0.1, 0.5, 0.9]"
            )
        return value

    def outputs(self, names: Sequence[str]) -> int:
        """Every quantile of every step."""
        del names
        return self.horizon * len(self.quantiles)

    def loss(self, answered: Answered, train: TrainConfig | None = None) -> Tensor:
        """Twice the quantile loss in units of the scale: of the median, its MASE."""
        import torch

        del train
        actual, naive, scale = answered.targets.unbind(-1)
        wanted = ((actual - naive) / scale).to(answered.outputs.dtype)
        levels = answered.outputs.new_tensor(self.quantiles)
        error = wanted[..., None] - self._by_step(answered.outputs)
        return 2 * torch.maximum(levels * error, (levels - 1) * error).mean()

    def predictions(self, parts: Sequence[Answered]) -> Columns:
        """Actual values, medians and outermost quantiles `(examples, horizon)`, and counts."""
        actual, naive, scale = (
            np.concatenate([part.targets[..., k].cpu().numpy() for part in parts])
            for k in (ACTUAL, NAIVE, SCALE)
        )
        residual = np.concatenate([self._residuals(part.outputs) for part in parts])
        quantiles = naive[..., None] + scale[..., None] * residual
        forecast = quantiles[..., len(self.quantiles) // 2]
        return {
            "actual": actual,
            "forecast": forecast,
            "lower": quantiles[..., 0],
            "upper": quantiles[..., -1],
            COUNTS: self._counts(*map(_double, (actual, scale, quantiles))),
        }

    def answers(self, parts: Sequence[Answered], names: Sequence[str]) -> list[base.Answer]:
        """Values in the series' own units."""
        del names
        found = self.predictions(parts)
        middle, lower, upper = (found[name].tolist() for name in ("forecast", "lower", "upper"))
        return [
            Forecast(values, low, high, self.coverage)
            for values, low, high in zip(middle, lower, upper, strict=True)
        ]

    @property
    def coverage(self) -> float:
        """Share of values that lie between the outermost quantiles, if those are right."""
        return self.quantiles[-1] - self.quantiles[0]

    @classmethod
    def truth(cls, columns: Columns) -> list[str]:
        """Digests of the actual values."""
        rows = np.asarray(columns["actual"], dtype="<f4")
        return [hashlib.sha256(row.tobytes()).hexdigest()[:16] for row in rows]

    @classmethod
    def same(cls, columns: Columns, others: Columns) -> np.ndarray:
        """Whether medians agree to a thousandth."""
        one, other = (np.asarray(each["forecast"]) for each in (columns, others))
        equal: np.ndarray = np.isclose(one, other, rtol=1e-3).all(axis=1)
        return equal

    @classmethod
    def shown(cls, columns: Columns, names: Sequence[str]) -> Shown:
        """The first values, and the MASE of each series: above 1 naive was better in history."""
        del names
        measure = np.asarray(columns[COUNTS])[:, SCALED]
        return Shown(
            truth=[_brief(row) for row in np.asarray(columns["actual"]).tolist()],
            answer=[_brief(row) for row in np.asarray(columns["forecast"]).tolist()],
            wrong=measure > 1,
            measure=measure,
        )

    def _by_step(self, outputs: Tensor) -> Tensor:
        """`(batch, horizon, quantiles)`."""
        return outputs.reshape(len(outputs), self.horizon, len(self.quantiles))

    def _residuals(self, outputs: Tensor) -> np.ndarray:
        """Quantiles in order, `(batch, horizon, quantiles)`.

        Sorting those that cross brings none of them farther from the truth (Chernozhukov et al.
        2010).
        """
        ordered: np.ndarray = self._by_step(outputs.float()).sort(dim=-1).values.cpu().numpy()
        return ordered

    def _counts(self, actual: np.ndarray, scale: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
        """Rows of `gatewise.config.metrics`, `(examples, 6)`."""
        forecast = quantiles[..., len(self.quantiles) // 2]
        error = np.abs(actual - forecast)
        size = np.abs(actual) + np.abs(forecast)
        symmetric = np.divide(2 * error, size, out=np.zeros_like(error), where=size > 0)
        levels, apart = np.array(self.quantiles), actual[..., None] - quantiles
        pinball = 2 * np.maximum(levels * apart, (levels - 1) * apart).mean(axis=-1)
        covered = (quantiles[..., 0] <= actual) & (actual <= quantiles[..., -1])
        rows = [
            np.ones(len(actual)),
            (error / scale).mean(axis=1),
            symmetric.mean(axis=1),
            (pinball / scale).mean(axis=1),
            covered.mean(axis=1),
            np.full(len(actual), self.coverage),
        ]
        return np.stack(rows, axis=1)


def _double(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float64)


def _brief(values: Sequence[float]) -> str:
    """The first values of a horizon."""
    more = ", ..." if len(values) > SHOWN else ""
    return ", ".join(f"{value:.4g}" for value in values[:SHOWN]) + more
