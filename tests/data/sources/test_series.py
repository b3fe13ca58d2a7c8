"""Tables of series, long and wide."""

import numpy as np
import pandas as pd
import pytest

from gatewise.artifacts.manifest import SERIES
from gatewise.config import source_class
from gatewise.data import sources
from gatewise.errors import GatewiseError


def fetch(tmp_path, table, name="table.csv", **options):
    path = tmp_path / name
    table.to_parquet(path) if name.endswith(".parquet") else table.to_csv(path, index=False)
    source = source_class("series").model_validate({"kind": "series", "path": str(path), **options})
    raw = sources.fetch(source, tmp_path / "raw")
    values = np.load(raw.folder / SERIES)
    ends = raw.manifest["n_samples"].cumsum()
    return dict(zip(raw.manifest["id"], np.split(values, ends[:-1]), strict=True))


def long(**changes):
    months = pd.date_range("2020-01-01", periods=5, freq="MS").strftime("%Y-%m-%d")
    table = {"id": ["a"] * 5 + ["b"] * 5, "time": [*months, *months], "value": range(10)}
    return pd.DataFrame(table | changes)


@pytest.mark.parametrize("name", ["table.csv", "table.tsv", "table.parquet"])
def test_long_tables_in_any_order(tmp_path, name):
    shuffled = long().sample(frac=1, random_state=1)
    if name.endswith(".tsv"):
        shuffled.to_csv(tmp_path / name, index=False, sep="\t")
        source = source_class("series").model_validate(
            {"kind": "series", "path": str(tmp_path / name)}
        )
        found = dict(source.named())
    else:
        found = fetch(tmp_path, shuffled, name)
    assert {key: own.tolist() for key, own in found.items()} == {
        "a": [0, 1, 2, 3, 4],
        "b": [5, 6, 7, 8, 9],
    }


def test_wide_tables_whose_series_begin_and_end_apart(tmp_path):
    days = pd.date_range("2024-02-27", periods=4).strftime("%Y-%m-%d")
    table = pd.DataFrame({"day": days, "x": [1, 2, 3, 4], "y": [None, 5, 6, None]})
    found = fetch(tmp_path, table, layout="wide", time="day")
    assert found["x"].tolist() == [1, 2, 3, 4]
    assert found["y"].tolist() == [5, 6]


def test_months_quarters_and_numbers_are_regular(tmp_path):
    for times in (
        ["2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30", "2020-05-31"],
        ["2020-01", "2020-04", "2020-07", "2020-10", "2021-01"],
        ["10", "20", "30", "40", "50"],
        [f"2020-01-01 00:{minute:02d}" for minute in (0, 10, 20, 30, 40)],
    ):
        found = fetch(tmp_path, long(time=times * 2))
        assert not np.isnan(found["a"]).any(), times


def test_a_step_that_is_missing_becomes_a_missing_value(tmp_path):
    found = fetch(tmp_path, long().drop(index=2))
    assert np.isnan(found["a"]).tolist() == [False, False, True, False, False]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"value": [*range(9), "many"]}, r"table.csv, row 10, column 'value': 'many' is no number"),
        ({"time": ["2020-01-01"] * 10}, "series a: two values for 2020-01-01; keep one"),
        ({"time": ["yesterday"] * 10}, "series a: a time is neither a date nor a whole number"),
        (
            {"time": ["1", "3", "6", "8", "10"] * 2},
            "series a: irregular; .* 2 steps .* 6 follows 3",
        ),
        ({"id": ["a"] * 9 + [""]}, "row 10: column 'id' is empty"),
        ({"time": ["0", "1", "2", "3", "99999999999"] * 2}, "at most 10,000,000 are taken"),
    ],
)
def test_what_is_no_series_is_named(tmp_path, changes, said):
    with pytest.raises(GatewiseError, match=said):
        fetch(tmp_path, long(**changes))


def test_a_column_that_is_not_there_is_named(tmp_path):
    with pytest.raises(GatewiseError, match="no column 'sales'"):
        fetch(tmp_path, long(), value="sales")
    with pytest.raises(GatewiseError, match="no column beside 'time'"):
        fetch(tmp_path, long()[["time"]], layout="wide")
