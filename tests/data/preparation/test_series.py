"""From series to windows, and the certificate that time keeps splits apart."""

import numpy as np
import pandas as pd
import pytest

from gatewise.artifacts.manifest import Raw
from gatewise.artifacts.prepared import Targets
from gatewise.config import TaskConfig
from gatewise.data import sources
from gatewise.data.preparation.build import prepare
from gatewise.data.preparation.certificate import LeakError
from gatewise.errors import GatewiseError

HORIZON, SEASON = 6, 4


def several(count=5, length=60, seed=0):
    draws = np.random.default_rng(seed)
    return {f"s{k}": 100 + draws.normal(0, 5, length + k).cumsum() for k in range(count)}


def task(tmp_path, series, on_bad="fail", **changes):
    rows = [(n, t, v) for n, values in series.items() for t, v in enumerate(values)]
    table = tmp_path / "table.csv"
    pd.DataFrame(rows, columns=["id", "time", "value"]).to_csv(table, index=False)
    settings = {
        "source": {"kind": "series", "path": str(table)},
        "objective": {"kind": "forecast", "horizon": HORIZON, "season": SEASON},
        "features": {"kind": "series", "history": 12, "stride": 5},
        "on_bad": on_bad,
    }
    config = TaskConfig.model_validate(settings | changes)
    raw = sources.fetch(config.source, tmp_path / "raw")
    return prepare("visits", config, raw.folder, tmp_path / "prepared")


def test_splits_lie_apart_in_time(tmp_path):
    series = several()
    prepared, report = task(tmp_path, series)
    index = prepared.index
    origin = index["id"].str.rpartition("@")[2].astype(int)
    for name, own in origin.groupby(index["group"]):
        split = index["split"][own.index]
        length = len(series[name])
        assert own[split == "test"].tolist() == [length - HORIZON]
        assert own[split == "validation"].tolist() == [length - 2 * HORIZON]
        assert own[split == "train"].max() + HORIZON <= length - 2 * HORIZON
        assert own[split == "train"].min() >= 2 * SEASON + 1
    assert report.certified
    assert set(report.certificate) == {"time", "horizons", "normalisation"}
    assert report.labels == 0


def test_targets_are_the_values_that_follow(tmp_path):
    series = several()
    prepared, _ = task(tmp_path, series)
    targets, lengths = Targets(prepared).of(np.arange(len(prepared.index)))
    assert set(lengths) == {HORIZON}
    for row, (name, window) in enumerate(
        zip(prepared.index["group"], prepared.index["id"], strict=True)
    ):
        origin = int(window.rpartition("@")[2])
        expected = series[name][origin : origin + HORIZON]
        np.testing.assert_allclose(targets[row, :, 0], expected, rtol=1e-6)


def test_values_added_later_move_no_window_that_trains(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    series = several()
    old, _ = task(tmp_path / "old", {name: values[:-12] for name, values in series.items()})
    new, _ = task(tmp_path / "new", series)
    taught = set(old.index["id"][old.index["split"] == "train"])
    assert taught
    assert taught <= set(new.index["id"][new.index["split"] == "train"])


def test_a_series_that_shows_another_ones_future_is_a_leak(tmp_path):
    series = several()
    ahead = np.concatenate([series["s0"][20:], 100 + np.random.default_rng(9).normal(0, 5, 20)])
    with pytest.raises(LeakError, match=r"horizons: 1 violations.*horizon of s0 stands in copy"):
        task(tmp_path, series | {"copy": ahead})
    _, report = task(tmp_path, series | {"copy": ahead}, allow={"horizons": "known"})
    assert report.certified


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("constant", np.full(60, 5.0), "constant: the series is constant"),
        ("single", np.array([5.0]), "single: 1 value; with a horizon of 6 and a season of 4"),
        ("short", np.arange(20.0), "short: 20 values; .* at least 21 are needed"),
        ("repeats", np.tile([1.0, 2, 3, 4], 15), "repeats: every season of 4 repeats"),
        ("holes", np.where(np.arange(60) == 30, np.nan, np.arange(60)), "holes: value 31 is mis"),
    ],
)
def test_series_that_cannot_be_forecast_are_named_or_left_out(tmp_path, name, values, said):
    with pytest.raises(GatewiseError, match=said):
        task(tmp_path, several() | {name: values})
    prepared, report = task(tmp_path, several() | {name: values}, on_bad="skip")
    assert set(prepared.index["group"]) == set(several())
    assert report.unusable.count == 1


def test_a_horizon_longer_than_the_history_is_refused_before_anything_is_trained(tmp_path):
    objective = {"kind": "forecast", "horizon": 50, "season": SEASON}
    with pytest.raises(GatewiseError, match="s0: 60 values; with a horizon of 50"):
        task(tmp_path, several(), objective=objective)


def test_a_series_that_begins_without_change_trains_once_it_moves(tmp_path):
    late = np.concatenate([np.full(25, 7.0), 7 + np.random.default_rng(1).normal(0, 1, 35)])
    prepared, _ = task(tmp_path, several() | {"late": late})
    own = prepared.index[prepared.index["group"] == "late"]
    origins = own["id"].str.rpartition("@")[2].astype(int)
    assert origins.min() > 25
    assert np.isfinite(prepared.sequences).all()


def test_the_raw_folder_is_one_of_series(tmp_path):
    task(tmp_path, several())
    raw = Raw.open(tmp_path / "raw")
    assert raw.card.payload == "series"
    assert raw.manifest["n_samples"].tolist() == [60, 61, 62, 63, 64]
