"""Images of a raw folder to sequences."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import Example, Raw, SourceCard
from gatewise.artifacts.prepared import pad
from gatewise.config import Pixels, TaskConfig
from gatewise.data import sources
from gatewise.data.preparation import images
from gatewise.data.preparation.build import prepare
from gatewise.errors import GatewiseError
from tests.pictures import classified, encoded, stroke, write_table

FEATURES = Pixels(kind="image", height=6, width=6, channels=1)


def together(folder: Path, pixels: np.ndarray) -> Raw:
    folder.mkdir()
    np.save(folder / manifest.IMAGES, pixels)
    blank = Example(id="", label="a", group="g", n_samples=144, sha256=manifest.text_sha256(""))
    rows = [replace(blank, id=str(number)) for number in range(len(pixels))]
    manifest.write(folder, SourceCard(payload="image", title="i", licence="none"), rows)
    return Raw.open(folder)


def test_files_and_one_array_of_the_same_pixels_become_the_same_sequences(tmp_path):
    table = write_table(tmp_path / "own", ["upright", "level"] * 4)
    config = TaskConfig.model_validate(
        {
            "source": {"kind": "captions", "path": str(table)},
            "objective": {"kind": "classify"},
            "features": FEATURES.model_dump(),
        }
    )
    raw = sources.fetch(config.source, tmp_path / "raw")
    whole = np.stack([stroke(number % 2 == 0, number) for number in range(8)])
    other = together(tmp_path / "other", whole)
    for folder, source, workers in (("a", raw, 1), ("b", other, 1), ("c", other, 2)):
        (tmp_path / folder).mkdir()
        done = images.transform(source, FEATURES, tmp_path / folder, workers)
        assert done.lengths == [6] * 8
        assert done.features == 6
    files = [(tmp_path / name / "sequences.npy").read_bytes() for name in "abc"]
    assert files[0] == files[1] == files[2]


def test_models_see_shares_of_white(tmp_path):
    prepared = classified(tmp_path)
    assert prepared.sequences.dtype == np.uint8
    assert prepared.card.modality == "image"
    seen = pad(prepared.sequences, np.array([0]), np.array([6]))
    assert seen.dtype == np.float32
    np.testing.assert_allclose(seen[0] * 255, prepared.sequences[:6], rtol=1e-6)
    assert prepared.index["length"].unique().tolist() == [6]


def test_bad_images_are_named_or_left_out(tmp_path):
    texts = ["upright", "level"] * 20
    table = write_table(tmp_path / "own", texts)
    (tmp_path / "own" / "3.png").write_bytes(b"no image")
    (tmp_path / "own" / "5.png").write_bytes(encoded(np.full((12, 12), 3, np.uint8)))
    settings = {
        "source": {"kind": "captions", "path": str(table)},
        "objective": {"kind": "classify"},
        "features": FEATURES.model_dump(),
    }
    raw = sources.fetch(TaskConfig.model_validate(settings).source, tmp_path / "raw")
    assert raw.manifest["n_samples"].tolist()[2:5] == [144, 0, 144]
    said = r"3\.png: no image that can be decoded .*; mend or remove it, or set tasks\.toy\.on_bad"
    with pytest.raises(GatewiseError, match=said):
        prepare("toy", TaskConfig.model_validate(settings), raw.folder, tmp_path / "made", 1)
    skipping = TaskConfig.model_validate(settings | {"on_bad": "skip"})
    prepared, report = prepare("toy", skipping, raw.folder, tmp_path / "made", 1)
    assert len(prepared.index) == 39
    assert report.unusable.count == 1
    assert report.flaws["one colour only"].examples == ["5.png"]
    (tmp_path / "own" / "4.png").write_bytes(encoded(stroke(True, 99)))
    with pytest.raises(GatewiseError, match=r"4\.png: changed since it was fetched"):
        prepare("toy", skipping, raw.folder, tmp_path / "made", 1)


def test_an_array_that_does_not_fit_its_manifest_is_refused(tmp_path):
    raw = together(tmp_path / "raw", np.zeros((3, 12, 12, 1), np.uint8))
    np.save(raw.folder / manifest.IMAGES, np.zeros((2, 12, 12, 1), np.uint8))
    with pytest.raises(GatewiseError, match="has 2 images, the manifest 3 rows"):
        images.transform(raw, FEATURES, tmp_path, 1)
    np.save(raw.folder / manifest.IMAGES, np.zeros((3, 12, 12), np.float32))
    with pytest.raises(GatewiseError, match=r"in place of uint8 \(rows, height, width"):
        images.transform(raw, FEATURES, tmp_path, 1)
    (raw.folder / manifest.IMAGES).unlink()
    with pytest.raises(GatewiseError, match=r"images\.npy: missing"):
        images.transform(raw, FEATURES, tmp_path, 1)


def test_chunks_hold_all_images_in_order(tmp_path, monkeypatch):
    raw = together(tmp_path / "raw", np.zeros((9, 12, 12, 1), np.uint8))
    monkeypatch.setattr(images, "CHUNK_PIXELS", 300)
    chunks = list(images.chunks_of(raw))
    assert [len(chunk) for chunk in chunks] == [2, 2, 2, 2, 1]
    assert [row.number for chunk in chunks for row in chunk] == list(range(9))


def test_sounds_features_do_not_suit_images(tmp_path):
    raw = together(tmp_path / "raw", np.zeros((3, 12, 12, 1), np.uint8))
    config = TaskConfig.model_validate(
        {"source": {"kind": "handwriting"}, "features": {"kind": "frames"}}
    )
    with pytest.raises(GatewiseError, match="gives image; use image"):
        prepare("toy", config, raw.folder, tmp_path / "made", 1)


def test_texts_are_said_of_regions_unless_rows_are_asked_for():
    source = {"kind": "captions", "path": "somewhere.csv"}
    asked = TaskConfig.model_validate({"source": source, "features": {"kind": "image"}})
    assert asked.objective.kind == "generate"
    assert asked.features.scan == "regions"
    assert (asked.features.steps, asked.features.features) == (32, 96)
    rows = {"source": source, "features": {"kind": "image", "scan": "rows"}}
    assert TaskConfig.model_validate(rows).features.scan == "rows"
    labels = rows | {"objective": {"kind": "classify"}, "features": {"kind": "image"}}
    assert TaskConfig.model_validate(labels).features.scan == "rows"
    regions = labels | {"features": {"kind": "image", "scan": "regions"}}
    with pytest.raises(ValueError, match="regions is for objectives that say texts, not classify"):
        TaskConfig.model_validate(regions)


def test_what_decoders_embed_has_a_width_of_its_own():
    task = {
        "source": {"kind": "captions", "path": "somewhere.csv"},
        "features": {"kind": "image"},
        "model": {"embedding": 32},
    }
    assert TaskConfig.model_validate(task).model.embedding == 32
    with pytest.raises(ValueError, match=r"model\.embedding is for features of the kind tokens"):
        TaskConfig.model_validate(task | {"objective": {"kind": "classify"}})
