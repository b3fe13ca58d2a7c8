"""A model of images as something to ask: from files, numbers, folders and tables."""

import base64

import numpy as np
import pandas as pd
import pytest
import torch

from gatewise.artifacts import runs
from gatewise.config import VariantConfig
from gatewise.serving import answers, questions, rows
from gatewise.serving.budget import BadInputError, Budget, TooMuchError
from gatewise.serving.predictor import Predictor
from gatewise.training import one_run
from gatewise.training.job import Job
from tests.pictures import classified, encoded, stroke
from tests.tasks import make_plan


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    root = tmp_path_factory.mktemp("served")
    classified(root)
    run = root / "run"
    run.mkdir()
    plan = make_plan(config=VariantConfig(cell="gru", hidden=8, pooling="last"), epochs=3)
    one_run.train(Job(plan, 0, "k", root / "data/prepared/toy", run), lambda *_: None)
    return root, run, Predictor.from_run(run, root / "data/prepared")


def test_an_image_file_gets_its_recorded_answer(model):
    root, run, predictor = model
    recorded = pd.read_parquet(run / runs.PREDICTIONS)
    files = [(root / "images" / name).read_bytes() for name in recorded["id"]]
    found = predictor([{"image": data} for data in files])
    probabilities = np.stack(recorded["probabilities"])
    got = [[one.probabilities[name] for name in predictor.card.labels] for one in found]
    np.testing.assert_allclose(got, probabilities, rtol=1e-5)


def test_files_base64_and_numbers_are_the_same_image(model):
    pixels = stroke(True, 4)
    data = encoded(pixels)
    items = [
        {"image": data},
        {"image": base64.b64encode(data).decode()},
        {"pixels": pixels},
        {"pixels": pixels.tolist()},
        rows.item(data, "image/png"),
    ]
    with torch.inference_mode():
        found = [model[2]([item])[0].plain() for item in items]
    assert all(one == found[0] for one in found)


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"image": b"nonsense"}, "image: no image that can be decoded"),
        ({"image": "nonsense!"}, "not base64 of an image file"),
        ({"image": 3}, "image must be an image file's bytes, not int"),
        ({"pixels": [[0.0, 256.0]]}, "pixels must lie between 0 and 255"),
        ({"pixels": [1.0, 2.0]}, r"pixels must be \(height, width\)"),
        ({"pixels": [[[1, 2]]]}, r"pixels must be \(height, width\)"),
        ({"pixels": "dark"}, "pixels must be numbers"),
        ({"text": "a line"}, r"takes image \(an image file\), or pixels .*; got text"),
    ],
)
def test_what_is_no_image_is_refused_in_a_sentence(model, item, said):
    with pytest.raises(BadInputError, match=said):
        model[2]([item])


def test_a_request_of_too_many_pixels_is_refused_before_they_are_unpacked(model):
    budget = Budget()
    budget.left["pixels"] = 100
    with pytest.raises(TooMuchError, match="pixels in one request"):
        model[2]([{"image": encoded(stroke(True))}], budget)


def test_folders_and_tables_of_images_are_asked(model, tmp_path):
    root, _, predictor = model
    for label in ("upright", "level"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "x.png").write_bytes(encoded(stroke(label == "upright", 70)))
    wanted = questions.Wanted("image", labels="from-folder", known=tuple(predictor.card.labels))
    asked = questions.collect([tmp_path], (), wanted)
    assert [one.truth for one in asked] == ["level", "upright"]
    table = questions.collect([root / "images/table.csv"], (), questions.Wanted("image", "text"))
    found = list(answers.ask(predictor, [*asked, *table], skip=False))
    assert len(found) == 62
    assert all(one.answer is not None for one in found)


def test_an_mlflow_model_of_images_takes_files(model):
    from gatewise.serving.pyfunc import PyfuncModel, example, requirements, signature

    predictor = model[2]
    given = example(predictor.card)
    assert signature(predictor.card).inputs.input_names() == list(given)
    assert len(PyfuncModel(predictor).predict(given)) == 1
    assert any(line.startswith("pillow==") for line in requirements(predictor.card))
