"""Forecasting without recurrence: the seasonal naive forecast, and a linear model of lags.

The linear model is ridge regression from the features of the last steps to all steps of the horizon
at once, trained on the same windows and in the same scale as the networks; its strength is chosen
on the validation windows. Both get intervals from the residuals that they leave in training.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from gatewise.artifacts.objectives.base import Answered
from gatewise.artifacts.objectives.forecast import ACTUAL, NAIVE, SCALE, Objective
from gatewise.artifacts.prepared import Prepared, Targets
from gatewise.diagnostics.opponents import base
from gatewise.diagnostics.opponents.base import Rows

STRENGTHS = (1e1, 1e2, 1e3, 1e4, 1e5)
"""Penalties that are tried."""
MOST_LAGS = 24
FARTHEST = 10.0
"""Residuals beyond are cut in training, in units of the scale: squares would follow few series."""
Floats = npt.NDArray[np.float64]


class Opponents(base.Opponents):
    """The last season again, and ridge regression on lags."""

    def __init__(self, prepared: Prepared) -> None:
        super().__init__(prepared)
        objective = prepared.card.asks
        assert isinstance(objective, Objective)  # noqa: S101  # found by its name
        self.objective = objective
        self.targets = Targets(prepared)
        self.lags = min(MOST_LAGS, 2 * objective.season)

    @property
    def titles(self) -> dict[str, str]:
        """Both, by name."""
        return {"naive": "seasonal naive", "linear": f"ridge regression on {self.lags} lags"}

    def score(self, rows: Rows) -> dict[str, float]:
        """Test scores of both."""
        wanted = self._residuals(rows["train"])
        naive = np.zeros((len(rows["test"]), self.objective.horizon))
        return {
            "naive": self._score(rows["test"], naive, wanted),
            "linear": self._linear(rows, wanted),
        }

    def _linear(self, rows: Rows, wanted: Floats) -> float:
        from sklearn.linear_model import Ridge
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        best, score = -np.inf, np.nan
        train = self._lagged[rows["train"]]
        for strength in STRENGTHS:
            model = make_pipeline(StandardScaler(), Ridge(alpha=strength))
            model.fit(train, np.clip(wanted, -FARTHEST, FARTHEST))
            left = wanted - model.predict(train)

            def scored(split: str, model: object = model, left: Floats = left) -> float:
                given = model.predict(self._lagged[rows[split]])  # type: ignore[attr-defined]
                return self._score(rows[split], given, left)

            gain = self.metric.gain(scored("validation"))
            if gain > best:
                best, score = gain, scored("test")
        return score

    def _score(self, rows: npt.NDArray[np.intp], given: Floats, left: Floats) -> float:
        """The metric of forecasts, with the quantiles of what was left in training around them.

        Args:
            rows: of the index.
            given: residuals of the naive forecast that are predicted, `(rows, horizon)`.
            left: what the model left of the training residuals, `(examples, horizon)`.
        """
        import torch

        levels = np.array(self.objective.quantiles)
        around = np.quantile(left, levels, axis=0).T
        around -= around[:, [len(levels) // 2]]  # about the forecast itself, which stays
        outputs = (given[..., None] + around).reshape(len(rows), -1)
        targets, lengths = self.targets.of(rows)
        assert lengths is not None  # noqa: S101  # values have lengths
        answered = Answered(
            torch.from_numpy(outputs).float(),
            torch.from_numpy(lengths),
            torch.from_numpy(targets),
            torch.from_numpy(lengths),
        )
        return self.objective.scores([answered])[self.metric.name]

    def _residuals(self, rows: npt.NDArray[np.intp]) -> Floats:
        """What the naive forecast leaves, in units of the scale, `(rows, horizon)`."""
        targets, _ = self.targets.of(rows)
        actual, naive, scale = (targets[..., k].astype(np.float64) for k in (ACTUAL, NAIVE, SCALE))
        residuals: Floats = (actual - naive) / scale
        return residuals

    @functools.cached_property
    def _lagged(self) -> Floats:
        """Features of the last steps of every window, zeros before its first, `(windows, ...)`."""
        index = self.prepared.index
        width = self.prepared.sequences.shape[1]
        lagged = np.zeros((len(index), self.lags, width))
        ends = (index["start"] + index["length"]).to_numpy()
        for row, (end, length) in enumerate(zip(ends, index["length"], strict=True)):
            used = min(self.lags, int(length))
            lagged[row, self.lags - used :] = self.prepared.sequences[end - used : end]
        return lagged.reshape(len(index), -1)
