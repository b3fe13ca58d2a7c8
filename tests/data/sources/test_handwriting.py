"""Handwritten digits and scenes of them, on a small file of the same make."""

import gzip
import itertools

import numpy as np
import pytest

from gatewise.config import source_class
from gatewise.data import sources
from gatewise.data.sources import _handwriting, _package, scenes
from tests.pictures import digits_file


@pytest.fixture(autouse=True)
def small_package(monkeypatch):
    content = digits_file()
    monkeypatch.setattr(_package.Member, "read", lambda _: content)


def fetch(target, kind, **options):
    return sources.fetch(source_class(kind).model_validate({"kind": kind, **options}), target)


def test_digits_are_images_with_their_names(tmp_path):
    raw = fetch(tmp_path / "raw", "handwriting")
    pixels = np.load(raw.folder / "images.npy")
    assert pixels.shape == (1000, 28, 28, 1)
    assert pixels.dtype == np.uint8
    assert pixels.max() > 200
    assert raw.manifest["label"].value_counts().tolist() == [100] * 10
    assert raw.manifest["id"].tolist()[100:102] == ["one-0", "one-1"]
    assert raw.manifest["group"].str.startswith("content:").all()
    assert "writers unknown" in raw.card.title


def test_another_file_is_noticed(monkeypatch):
    monkeypatch.setattr(_package.Member, "read", lambda _: gzip.compress(b"0,1,2\n"))
    with pytest.raises(AssertionError, match="rows of 3 values"):
        _handwriting.read()


def test_scenes_take_their_digits_from_one_set_each(tmp_path, monkeypatch):
    monkeypatch.setattr(scenes, "POOLS", 10)
    digits = _handwriting.read()
    source = source_class("scenes").model_validate({"kind": "scenes", "scenes": 300})
    used: dict[int, set[str]] = {}
    for _, pool, things, _ in source._plan(digits):
        for thing in things:
            used.setdefault(thing.source, set()).add(pool)
            assert _handwriting.NAMES[digits.digits[thing.source]] == thing.digit
    assert all(len(pools) == 1 for pools in used.values())
    for pool in scenes._pools(digits):
        assert np.bincount(digits.digits[pool], minlength=10).tolist() == [10] * 10


def test_more_scenes_add_to_the_first_and_seeds_differ(tmp_path):
    few = fetch(tmp_path / "few", "scenes", scenes=150)
    many = fetch(tmp_path / "many", "scenes", scenes=250)
    assert few.manifest.equals(many.manifest.iloc[:150])
    other = fetch(tmp_path / "other", "scenes", scenes=150, seed=1)
    assert not set(other.manifest["sha256"]) & set(few.manifest["sha256"])
    assert few.card.synthetic
    assert few.manifest["group"].nunique() == 100
    images = np.load(few.folder / "images.npy")
    assert images.shape == (150, 36, 36, 3)
    assert images.reshape(150, -1).max(axis=1).min() > 100, "something is in every scene"


def test_captions_are_all_that_is_right_and_nothing_else(tmp_path):
    things = [
        scenes.Thing(0, "two", "red", "small", 0, 0),
        scenes.Thing(1, "six", "blue", "large", 0, 20),
    ]
    said = scenes.captions(things)
    assert said[0] == "a red two and a blue six"
    assert len(said) == len(set(said)) == 8
    assert "a large blue six and a small red two" in said
    assert scenes.captions(things[:1]) == ["a red two", "a small red two"]
    same = [things[0], things[0]]
    assert len(scenes.captions(same)) == 4


def test_things_stand_apart_inside_the_scene():
    digits = _handwriting.read()
    draws = np.random.default_rng(0)
    for _ in range(300):
        things = scenes._things(draws, digits, np.arange(200))
        covered = np.zeros((scenes.SIDE, scenes.SIDE), int)
        for thing in things:
            side = scenes.SIZES[thing.size]
            assert 0 <= thing.top <= scenes.SIDE - side
            assert 0 <= thing.left <= scenes.SIDE - side
            covered[thing.top : thing.top + side, thing.left : thing.left + side] += 1
        assert covered.max() == 1
        for one, other in itertools.pairwise(things):
            assert one.top < other.top or one.left < other.left, "in reading order"


def test_what_is_seen_has_the_colour_that_is_said(tmp_path):
    raw = fetch(tmp_path / "raw", "scenes", scenes=100)
    images = np.load(raw.folder / "images.npy").reshape(100, -1, 3).max(axis=1)
    for brightest, label in zip(images, raw.manifest["label"], strict=True):
        first = label.splitlines()[0]
        if " and " not in first:
            wanted = np.array(scenes.COLOURS[first.split()[1]])
            shares = brightest / brightest.max(), wanted / wanted.max()
            assert np.abs(shares[0] - shares[1]).max() <= 0.2, first
