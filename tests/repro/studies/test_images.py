"""Rules for images: sizes from those that were found, and what costs how much."""

import numpy as np
import pytest
import yaml

from gatewise import config
from gatewise.data.understanding.record import ImageSizes, Said
from gatewise.repro.studies import image_texts, images, proposal, writing
from gatewise.repro.studies.choices import plain
from tests.repro.studies.understandings import pace, sounds


def sizes(heights=(28,), widths=(28,), coloured=0):
    return ImageSizes(np.array(heights, float), np.array(widths, float), coloured)


def labelled(found=None, **changes):
    fields = {
        "kind": "image",
        "source": {"kind": "image-folder", "path": "../photos"},
        "images": found or sizes(),
        "rates": {},
    }
    return sounds(**fields | changes)


def captioned(found=None, lengths=(3, 8, 9), **changes):
    said = Said("word", np.array(lengths, float), np.array((400, 90, 30, 2, 1)), 7, 0)
    fields = {
        "objective": "generate",
        "labels": {},
        "source": {"kind": "captions", "path": "photos.csv"},
        "said": said,
    }
    return labelled(found, **fields | changes)


@pytest.mark.parametrize(
    ("heights", "widths", "expected"),
    [
        ([28] * 9, [28] * 9, (28, 28)),
        ([480] * 9, [640] * 9, (48, 64)),
        ([8, 30, 900], [8, 20, 700], (30, 20)),
        ([2000], [10], (64, 1)),
        ([1], [1], (1, 1)),
        ([], [], (64, 64)),
    ],
)
def test_images_keep_their_proportions_and_are_never_enlarged(heights, widths, expected):
    found = plain(images.features(sizes(heights, widths)))
    assert (found["height"], found["width"]) == expected


@pytest.mark.parametrize(("coloured", "channels"), [(0, 1), (1, 1), (2, 3), (100, 3)])
def test_colours_are_kept_where_there_are_some(coloured, channels):
    found = sizes([28] * 100, [28] * 100, coloured)
    assert plain(images.features(found))["channels"] == channels


@pytest.mark.parametrize("minutes", [0.1, 1.0, 10.0, 600.0])
@pytest.mark.parametrize("make", [labelled, captioned])
def test_whatever_is_understood_gives_a_study_that_loads(make, minutes):
    for found in (sizes(), sizes([480, 500], [600, 900], 2), sizes([], [])):
        data = make(found)
        proposed = proposal.propose(data, minutes, rnn=True, timer=pace())
        study = config.parse(yaml.safe_load(writing.render(proposed)))
        assert study.tasks[data.name].features.kind == "image"


def test_rows_of_pixels_are_timed_as_steps():
    asked = []

    def timer(*given):
        asked.append(given)
        return pace()()

    proposal.propose(labelled(sizes([20], [30], 1)), timer=timer)
    _, _, _, steps, classes, features, vocabulary = asked[0]
    assert (steps, classes, features, vocabulary) == (20, 2, 90, None)


def test_texts_are_said_of_regions():
    data = captioned(sizes([480], [640], 1))
    task = plain(proposal.propose(data, timer=pace()).sections)["tasks"][data.name]
    assert task["features"]["scan"] == "regions"
    assert max(task["features"]["height"], task["features"]["width"]) == 48
    assert task["objective"]["attention"] == "dot"
    assert task["metric"] == "bleu"


def test_larger_images_and_longer_texts_cost_more_steps():
    def steps(side, lengths):
        data = captioned(sizes([side], [side]), lengths)
        return image_texts.work(data, data.said, data.images).steps.steps

    assert steps(48, (5,)) > steps(24, (5,))
    assert steps(24, (40,)) > steps(24, (5,))


def test_reasons_name_what_was_found():
    text = writing.render(proposal.propose(labelled(sizes([90] * 3, [120] * 3, 3)), timer=pace()))
    assert "images have 90 x 120: shrunk to 64 at most" in text
    assert "3 of 3 images are in colour" in text
