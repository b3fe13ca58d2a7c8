"""Folders of images with a folder a label."""

import os

import pytest

from gatewise.config import TaskConfig, source_class
from gatewise.data import sources
from gatewise.data.preparation import build
from gatewise.errors import GatewiseError
from tests.pictures import encoded, stroke


def files(pattern, count=6, first=0):
    """Images by name below a folder, upright and level in turn."""
    named = {}
    for n in range(first, first + count):
        label = "level" if n % 2 else "upright"
        named[pattern.format(label=label, n=n)] = encoded(stroke(n % 2 == 0, n))
    return named


def folder(root, named):
    for name, content in named.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def fetch(tmp_path, path, **options):
    given = {"kind": "image-folder", "path": path if isinstance(path, dict) else str(path)}
    source = source_class("image-folder").model_validate({**given, **options})
    return sources.fetch(source, tmp_path / "raw")


def test_a_folder_is_a_label_and_files_stay_where_they_are(tmp_path):
    named = files("{label}/{n}.png")
    named["level/again.png"] = named["level/1.png"]
    raw = fetch(tmp_path, folder(tmp_path / "own", named))
    assert raw.card.payload == "image"
    labels = dict(zip(raw.manifest["id"], raw.manifest["label"], strict=True))
    assert labels == {name: name.split("/")[0] for name in named}
    assert set(raw.manifest["n_samples"]) == {144}
    assert raw.locate("level/1.png") == tmp_path / "own/level/1.png"
    groups = dict(zip(raw.manifest["id"], raw.manifest["group"], strict=True))
    assert groups["level/1.png"] == groups["level/again.png"] != groups["level/3.png"]


def test_splits_groups_and_labels_stand_in_folders_and_names(tmp_path):
    root = folder(
        tmp_path / "own",
        {
            **files("Training/cam1_{label}_{n}.png"),
            **files("Testing/cam2_{label}_{n}.png", first=6),
        },
    )
    options = {"layout": "split", "name": "_(?P<label>[^_]+)_", "group": "(cam[0-9])"}
    rows = fetch(tmp_path, root, **options).manifest
    assert rows["split"].value_counts().to_dict() == {"train": 6, "test": 6}
    assert set(rows["label"]) == {"level", "upright"}
    assert set(rows["group"]) == {"cam1", "cam2"}


def test_splits_lie_in_places_of_their_own_and_labels_are_left_out(tmp_path):
    old = folder(tmp_path / "old", files("{label}/{n}.png"))
    new = folder(tmp_path / "new", files("{label}/{n}.png", first=6))
    folder(old, {"neither/0.png": encoded(stroke(True, 99))})
    path = {"train": str(old), "test": str(new)}
    rows = fetch(tmp_path, path, without=["neither"]).manifest
    assert rows.loc[rows["split"] == "test", "id"].str.startswith("new/").all()
    assert set(rows["label"]) == {"level", "upright"}


def test_other_files_are_counted_and_named(tmp_path, capfd):
    root = folder(
        tmp_path / "own",
        {
            **files("{label}/{n}.png"),
            "README.md": b"about",
            "level/a.wav": b"RIFF",
            ".DS_Store": b"",
        },
    )
    raw = fetch(tmp_path, root)
    assert raw.card.skipped == {"not an image (.md)": 1, "not an image (.wav)": 1}
    assert len(raw.manifest) == 6
    assert "README.md" in capfd.readouterr().err


def test_labels_that_differ_in_case_are_named(tmp_path, capfd):
    root = folder(tmp_path / "own", {**files("{label}/{n}.png"), **files("Level/{n}b.png", 2, 20)})
    fetch(tmp_path, root)
    assert "'Level'" in capfd.readouterr().err


def test_early_looks_refuse_what_fetching_would(tmp_path):
    source = source_class("image-folder")
    empty = folder(tmp_path / "own", {"a/x.txt": b"text"})
    deep = folder(tmp_path / "deep", {**files("{label}/{n}.png"), **files("{label}/old/{n}.png")})
    for path, said in ((empty, "no image files"), (deep, "can be read in two ways")):
        with pytest.raises(GatewiseError, match=said):
            source.model_validate({"kind": "image-folder", "path": str(path)}).look()
        with pytest.raises(GatewiseError, match=said):
            fetch(tmp_path, path)
    with pytest.raises(GatewiseError, match="no such folder"):
        fetch(tmp_path, tmp_path / "gone")


def test_a_pipe_named_like_an_image_is_not_waited_for(tmp_path):
    root = folder(tmp_path / "own", files("{label}/{n}.png"))
    os.mkfifo(root / "level" / "pipe.png")
    with pytest.raises(GatewiseError, match="not a regular file"):
        fetch(tmp_path, root)


def test_what_is_read_can_be_prepared(tmp_path):
    named = files("{label}/{n}.png", 60)
    whole = next(iter(named.values()))
    named |= {"level/broken.png": whole[:80], "level/phone.heic": b"ftypheic"}
    root = folder(tmp_path / "own", named)
    config = TaskConfig.model_validate(
        {
            "source": {"kind": "image-folder", "path": str(root)},
            "features": {"kind": "image", "height": 6, "width": 6, "channels": 1},
            "on_bad": "skip",
        }
    )
    raw = sources.fetch(config.source, tmp_path / "raw")
    _, report = build.prepare("own", config, raw.folder, tmp_path / "prepared", 1)
    assert report.unusable.count == 2
    strict = config.model_copy(update={"on_bad": "fail"})
    with pytest.raises(GatewiseError, match=r"broken\.png"):
        build.prepare("own", strict, raw.folder, tmp_path / "again", 1)
