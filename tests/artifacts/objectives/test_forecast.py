"""Forecasts against hand computed cases and other libraries' figures."""

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_pinball_loss
from torchmetrics.functional.regression import symmetric_mean_absolute_percentage_error

from gatewise.artifacts.objectives.base import Answered
from gatewise.artifacts.objectives.forecast import Objective
from gatewise.config.metrics import METRICS

HORIZON, EXAMPLES = 4, 9
ASKS = Objective(kind="forecast", horizon=HORIZON, season=2)


@pytest.fixture
def answered():
    draws = np.random.default_rng(3)
    actual, naive = draws.uniform(5, 9, (2, EXAMPLES, HORIZON))
    scale = np.repeat(draws.uniform(0.5, 2, (EXAMPLES, 1)), HORIZON, axis=1)
    outputs = torch.from_numpy(draws.normal(0, 1, (EXAMPLES, HORIZON * 3))).float()
    targets = torch.from_numpy(np.stack([actual, naive, scale], axis=-1)).float()
    lengths = torch.full((EXAMPLES,), HORIZON)
    return Answered(outputs, lengths, targets, lengths)


def test_a_case_by_hand():
    asks = Objective(kind="forecast", horizon=2, season=1)
    # The naive forecast is 10, the scale 2; the quantiles say 8, 10, 12 and then 10, 14, 16.
    outputs = torch.tensor([[-1.0, 0.0, 1.0, 0.0, 2.0, 3.0]])
    target = torch.tensor([[[11.0, 10.0, 2.0], [9.0, 10.0, 2.0]]])
    lengths = torch.tensor([2])
    scores = asks.scores([Answered(outputs, lengths, target, lengths)])
    assert scores["mase"] == pytest.approx((0.5 + 2.5) / 2)
    assert scores["smape"] == pytest.approx((2 * 1 / 21 + 2 * 5 / 23) / 2)
    assert scores["coverage_gap"] == pytest.approx(0.8 - 0.5)
    below = 0.1 * 1.5 + 0.9 * 0.5  # of the lowest quantile at both steps, in units of the scale
    middle = 0.5 * 0.5 + 0.5 * 2.5
    above = 0.1 * 0.5 + 0.1 * 3.5
    assert scores["quantile_loss"] == pytest.approx(2 * (below + middle + above) / 6)
    assert scores["loss"] == pytest.approx(scores["quantile_loss"])


def test_smape_is_that_of_torchmetrics(answered):
    found = ASKS.predictions([answered])
    actual, forecast = (torch.from_numpy(found[name]) for name in ("actual", "forecast"))
    expected = float(symmetric_mean_absolute_percentage_error(forecast, actual))
    assert ASKS.scores([answered])["smape"] == pytest.approx(expected, rel=1e-5)


def test_quantile_loss_is_that_of_scikit_learn(answered):
    found = ASKS.predictions([answered])
    scale = answered.targets[..., 2].numpy()
    columns = {0.1: found["lower"], 0.5: found["forecast"], 0.9: found["upper"]}
    losses = [
        mean_pinball_loss((found["actual"] / scale).ravel(), (said / scale).ravel(), alpha=level)
        for level, said in columns.items()
    ]
    expected = 2 * np.mean(losses)
    assert ASKS.scores([answered])["quantile_loss"] == pytest.approx(expected, rel=1e-5)


def test_quantiles_that_cross_are_put_in_order(answered):
    found = ASKS.predictions([answered])
    assert (found["lower"] <= found["forecast"]).all()
    assert (found["forecast"] <= found["upper"]).all()


def test_the_naive_forecast_is_what_an_output_of_nothing_says(answered):
    nothing = answered._replace(outputs=torch.zeros_like(answered.outputs))
    naive = answered.targets[..., 1].numpy()
    np.testing.assert_allclose(ASKS.predictions([nothing])["forecast"], naive)


def test_metrics_of_nothing_are_no_numbers():
    for name in ASKS.metrics:
        assert np.isnan(METRICS[name].from_counts(np.zeros((6, 1))))


@pytest.mark.parametrize(
    "quantiles", [[0.1, 0.9], [0.5, 0.1, 0.9], [0.1, 0.4, 0.9], [0.5, 0.5, 0.5]]
)
def test_quantiles_without_the_median_in_the_middle_are_refused(quantiles):
    with pytest.raises(ValueError, match="have the median"):
        Objective(kind="forecast", horizon=2, season=1, quantiles=quantiles)
