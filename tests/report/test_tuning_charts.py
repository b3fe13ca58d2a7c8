import pytest

from gatewise.config.tuning import Range
from gatewise.report.tuning_charts import against_setting, with_band

RATES = Range(low=1e-3, high=1e-1)


def rows(*values, **last):
    made = [
        {"variant": "gru", "value": value, "trial": i, "is": "tried", "score": 50.0 + i}
        for i, value in enumerate(values)
    ]
    return [*made, last] if last else made


def chart(values, over, **keys):
    options = {"joined": False, "higher_is_better": True, **keys}
    return against_setting(over, values, ["gru", "lstm"], "setting", "score", **options)


def marks(spec):
    return [layer["mark"]["type"] for layer in spec["layer"]]


def test_a_logarithmic_range_has_such_an_axis_unless_a_value_is_not_positive():
    (points,) = chart(RATES, rows(0.01, 0.02))["layer"]
    assert points["encoding"]["x"]["scale"]["type"] == "log"
    (points,) = chart(RATES, rows(0.0, 0.02))["layer"]
    assert "type" not in points["encoding"]["x"]["scale"]


def test_listed_values_have_places_of_their_own_with_variants_side_by_side():
    (points,) = chart((False, True), rows(True, 3))["layer"]
    encoding = points["encoding"]
    assert encoding["x"]["scale"]["domain"] == ["false", "true", "3"], "a declared 3 is no choice"
    assert encoding["xOffset"]["scale"]["domain"] == ["gru", "lstm"]


def test_trials_of_one_setting_are_a_curve():
    assert marks(chart(RATES, rows(0.01, 0.02), joined=True)) == ["line", "point"]
    assert marks(chart((False, True), rows(True), joined=True)) == ["point"]


@pytest.mark.parametrize(("higher", "place"), [(True, 214), (False, 6)])
def test_what_diverged_lies_at_the_worse_end(higher, place):
    lost = {"variant": "gru", "value": 0.1, "trial": 9, "is": "diverged"}
    points, crosses = chart(RATES, rows(0.01, **lost), higher_is_better=higher)["layer"]
    assert [row["trial"] for row in points["data"]["values"]] == [0]
    assert [row["trial"] for row in crosses["data"]["values"]] == [9]
    assert crosses["encoding"]["y"] == {"value": place}
    assert crosses["encoding"]["shape"]["scale"]["domain"] == ["tried", "diverged"]


def test_the_budget_is_a_line_in_its_band():
    row = {"variant": "gru", "trials": 1, "score": 50.0, "low": 50.0, "high": 50.0}
    spec = with_band([row], ["gru"], "trials", "best accuracy")
    assert marks(spec) == ["area", "line", "point"]
