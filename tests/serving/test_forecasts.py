"""A model of forecasts as something to ask."""

import json

import numpy as np
import pandas as pd
import pytest

from gatewise.artifacts import runs
from gatewise.serving import answers, questions
from gatewise.serving.budget import BadInputError
from gatewise.serving.predictor import Predictor
from gatewise.training import one_run
from gatewise.training.job import Job
from tests.forecasts import HORIZON, plan, several, write


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    root = tmp_path_factory.mktemp("served")
    prepared = write(root, several())
    run = root / "run"
    run.mkdir()
    one_run.train(Job(plan(), 0, "k", root / "data/prepared/toy", run), lambda *_: None)
    return root, run, prepared, Predictor.from_run(run, root / "data/prepared")


def test_a_series_so_far_gets_its_recorded_forecast(model):
    _, run, prepared, predictor = model
    recorded = pd.read_parquet(run / runs.PREDICTIONS)
    series = several()
    items = [{"series": series[name][:-HORIZON].tolist()} for name in recorded["group"]]
    for found, (_, row) in zip(predictor(items), recorded.iterrows(), strict=True):
        np.testing.assert_allclose(found.values, row["forecast"], rtol=1e-5)
        np.testing.assert_allclose(found.lower, row["lower"], rtol=1e-5)
        assert found.coverage == pytest.approx(0.8)
    assert prepared.card.modality == "series"


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"series": [1.0, 2.0, 3.0]}, "3 values of history; with a season of 4 at least 9"),
        ({"series": [5.0] * 30}, "the series is constant"),
        ({"series": [1.0] * 20 + [float("nan")]}, "value 21 is no finite number"),
        ({"series": ["a", "b"]}, "series must be numbers"),
        ({"series": [[1.0, 2.0]] * 20}, "must be a list of values"),
        ({"text": "forecast this"}, r"takes series \(the values so far\); got text"),
    ],
)
def test_what_cannot_be_forecast_is_refused_in_a_sentence(model, item, said):
    with pytest.raises(BadInputError, match=said):
        model[3]([item])


def test_tables_and_arrays_are_asked_series_by_series(model, tmp_path):
    root, _, _, predictor = model
    values = several()["s1"]
    np.save(tmp_path / "one.npy", values)
    pd.DataFrame({"value": values}).to_csv(tmp_path / "one.csv", index=False)
    wanted = questions.Wanted("series")
    paths = [root / "table.csv", tmp_path / "one.npy", tmp_path / "one.csv"]
    asked = questions.collect(paths, (), wanted)
    found = list(answers.ask(predictor, asked, skip=False))
    assert len(found) == len(several()) + 2
    said = {one.question.name.rpartition(": ")[2]: one.answer.plain() for one in found}
    assert said["s1"] == said[str(tmp_path / "one.npy")] == said[str(tmp_path / "one.csv")]
    assert json.dumps(said["s1"])


def test_an_mlflow_model_of_forecasts_takes_and_gives_lists(model):
    from gatewise.serving.pyfunc import PyfuncModel, example, signature

    _, _, prepared, predictor = model
    table = PyfuncModel(predictor).predict(example(prepared.card))
    assert list(table) == ["values", "lower", "upper", "coverage"]
    assert signature(prepared.card).outputs.input_names() == list(table)
    assert len(table["values"][0]) == HORIZON
