"""Images of examples on a page."""

import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from gatewise.evidence.task_evidence import TaskEvidence
from gatewise.report import side_by_side, thumbnails
from gatewise.report.page import _examples
from tests.pictures import classified, stroke
from tests.tasks import write_task


def read(address: str) -> np.ndarray:
    """Pixels of a PNG that its address holds."""
    kind, data = address.split(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


@pytest.mark.parametrize("scan", ["rows", "pixels"])
@pytest.mark.parametrize("channels", [1, 3])
def test_examples_are_shown_as_models_see_them(tmp_path, scan, channels):
    prepared = classified(tmp_path, height=12, width=12, channels=channels, scan=scan)
    other = write_task(tmp_path / "data/prepared/sounds")
    evidence = {
        "toy": TaskEvidence([], card=prepared.card),
        "sounds": TaskEvidence([], card=other.card),
        "lost": TaskEvidence([]),
    }
    names = ["7.png", "2.png", "2.png"]
    examples = pd.DataFrame({"task": ["toy"] * 3 + ["sounds"], "example": [*names, "clip-0000"]})
    found = thumbnails.images(examples, evidence, tmp_path / "data/prepared")
    assert list(found["example"]) == ["7.png", "2.png"]
    for name, address in zip(found["example"], found["image"], strict=True):
        number = int(name.split(".")[0])
        pixels = stroke(number % 2 == 0, number)
        if channels == 3:
            np.testing.assert_array_equal(read(address), pixels)
        else:
            np.testing.assert_allclose(read(address), pixels @ [0.299, 0.587, 0.114], atol=1)


def test_pages_know_the_image_of_each_example():
    columns = dict.fromkeys(side_by_side.COLUMNS, "x")
    table = pd.DataFrame([columns | {"example": name, "task": "toy"} for name in "ab"])
    images = pd.DataFrame([{"image": "data:1", "example": "b", "task": "toy"}])
    assert [row.image for row in _examples(table, images)["toy"]] == ["", "data:1"]
    assert [row.image for row in _examples(table, None)["toy"]] == ["", ""]
