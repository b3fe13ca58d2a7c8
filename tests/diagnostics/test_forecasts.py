"""What is measured of forecasts beside training."""

import numpy as np
import pytest

from gatewise.artifacts.prepared import Targets
from gatewise.diagnostics import baselines, profiling
from tests.forecasts import HORIZON, plan, several, write


def test_naive_scores_what_it_scores_and_lags_see_the_trend(tmp_path):
    prepared = write(tmp_path, several())
    found = baselines.evaluate(prepared, [0, 1], 1.0, 0.05, 200).baselines
    rows = np.flatnonzero(prepared.index["split"] == "test")
    actual, naive, scale = np.moveaxis(Targets(prepared).of(rows)[0].astype(float), -1, 0)
    expected = (np.abs(actual - naive) / scale).mean()
    assert found["naive"].values == (pytest.approx(expected, rel=1e-6),)
    assert found["linear"].mean < 0.5 * found["naive"].mean
    assert found["naive"].title == "seasonal naive"


def test_costs_are_those_of_the_steps_that_train(tmp_path):
    prepared = write(tmp_path, several())
    costs = profiling.profile(prepared, {"gru": plan()}, seconds=0.05)
    assert costs.variants["gru"].train_step_ms.median > 0
    batch = profiling.typical_batch(prepared, 5)
    assert batch.targets.shape == (5, HORIZON, 3)
    assert batch.target_lengths.tolist() == [HORIZON] * 5
