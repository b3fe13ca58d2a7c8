"""Folders that people really have: splits are no labels, and two readings are refused."""

import os
from pathlib import Path
from typing import Any

import pytest
import soundfile

from gatewise.artifacts.manifest import Raw
from gatewise.config import source_class
from gatewise.data import sources
from gatewise.data.sources._layout import Layout
from gatewise.errors import GatewiseError
from tests import sounds
from tests.sounds import tree


def fetch(target: Path, path: Path, **options: Any) -> Raw:
    given = {"kind": "audio-folder", "path": str(path), **options}
    return sources.fetch(source_class("audio-folder").model_validate(given), target)


def facts(raw: Raw) -> dict[str, tuple[str, str]]:
    rows = raw.manifest
    return dict(zip(rows["id"], zip(rows["label"], rows["split"], strict=True), strict=True))


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "validation", "test"),
        ("training", "valid", "testing"),
        ("Train", "dev", "TEST"),
        ("train", "val", "test"),
    ],
)
def test_split_folders_are_published_splits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], train: str, validation: str, test: str
) -> None:
    parts = {train: "train", validation: "validation", test: "test"}
    home = tree(tmp_path / "d", *(f"{p}/{label}/x.wav" for p in parts for label in ("up", "go")))
    assert facts(fetch(tmp_path / "raw", home)) == {
        f"{part}/{label}/x.wav": (label, split)
        for part, split in parts.items()
        for label in ("up", "go")
    }
    said = capsys.readouterr().err
    assert "read as split/label: 2 labels (go, up)" in said
    assert "validation 2" in said


def test_one_split_alone_publishes_none(tmp_path: Path) -> None:
    home = tree(tmp_path / "d", "train/up/x.wav", "train/go/x.wav")
    assert set(facts(fetch(tmp_path / "raw", home)).values()) == {("up", ""), ("go", "")}


def test_a_level_of_one_name_tells_nothing_apart(tmp_path: Path) -> None:
    home = tree(tmp_path / "d", "all/up/wav/x.wav", "all/go/wav/x.wav")
    assert set(fetch(tmp_path / "raw", home).manifest["label"]) == {"up", "go"}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["train/a.wav", "test/b.wav"], "names of splits, and files lie right in them"),
        (["train/up/a.wav", "test/up/b.wav", "go/up/c.wav"], "train.* look like published splits"),
        (["ann/up/a.wav", "ann/go/b.wav", "bob/up/c.wav"], r"labels are ann, bob .*are go, up"),
        (["up/a.wav", "up/more/b.wav", "go/c.wav"], "can be read in two ways"),
        (["val/up/a.wav", "dev/up/b.wav", "test/up/c.wav"], "names of the same split"),
        (["train/up/a.wav", "val/up/b.wav"], r"without one for test; .*layout: \*/label"),
        (
            ["train/ann/up/a.wav", "train/bob/go/a.wav", "test/eve/up/a.wav"],
            r"layout: split/label\).*layout: split/\*/label",
        ),
    ],
)
def test_two_readings_are_refused_with_both(tmp_path: Path, names: list[str], message: str) -> None:
    with pytest.raises(GatewiseError, match=message):
        fetch(tmp_path / "raw", tree(tmp_path / "d", *names))


def test_a_layout_says_which(tmp_path: Path) -> None:
    home = tree(tmp_path / "d", "ann/up/a.wav", "ann/go/b.wav", "bob/up/c.wav")
    inner = fetch(tmp_path / "inner", home, layout="group/label").manifest
    assert inner["label"].tolist() == ["go", "up", "up"]
    assert inner["group"].tolist() == ["ann", "ann", "bob"]
    neither = fetch(tmp_path / "neither", home, layout="*/label").manifest
    assert neither["label"].tolist() == ["go", "up", "up"]
    outer = fetch(tmp_path / "outer", home, layout="label").manifest
    assert outer["label"].tolist() == ["ann", "ann", "bob"]


def test_layouts_that_mean_nothing() -> None:
    for text, message in (("label/speaker", "no role"), ("label/label", "one role to two")):
        with pytest.raises(ValueError, match=message):
            Layout.parse(text)


def test_a_pattern_reads_file_names(tmp_path: Path) -> None:
    home = tree(tmp_path / "d", "up_ann_0.wav", "go_ann_0.wav", "up_bob_0.wav")
    pattern = "(?P<label>[^_]+)_(?P<group>[^_]+)_"
    rows = fetch(tmp_path / "raw", home, name=pattern).manifest
    assert rows["label"].tolist() == ["go", "up", "up"]
    assert rows["group"].tolist() == ["ann", "ann", "bob"]
    with pytest.raises(GatewiseError, match=r"up_ann_0\.wav: the pattern .* does not fit"):
        fetch(tmp_path / "other", home, name="(?P<label>go)_")


def test_metadata_as_hugging_face_has_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tree(tmp_path / "d", "train/a.wav", "train/b.wav", "test/c.wav", "test/unlisted.wav")
    (home / "train" / "metadata.csv").write_text("file_name,label\na.wav,up\nb.wav,go\n")
    (home / "test" / "metadata.csv").write_text("file_name,label\nc.wav,up\n")
    raw = fetch(tmp_path / "raw", home)
    assert facts(raw) == {
        "train/a.wav": ("up", "train"),
        "train/b.wav": ("go", "train"),
        "test/c.wav": ("up", "test"),
    }
    assert raw.card.skipped == {"not listed in metadata.csv": 1}
    assert "1 sounds are not listed in metadata.csv, e.g. test/unlisted.wav" in (
        capsys.readouterr().err
    )


def test_one_metadata_table_for_all_splits(tmp_path: Path) -> None:
    names = ["data/train/a.wav", "data/train/b.wav", "data/test/c.wav"]
    home = tree(tmp_path / "d", *names)
    lines = [f'{{"file_name": "{name}", "label": "up"}}' for name in names]
    (home / "metadata.jsonl").write_text("\n".join(lines) + "\n")
    expected = [("up", "train"), ("up", "train"), ("up", "test")]
    assert list(facts(fetch(tmp_path / "raw", home)).values()) == expected
    # A column says it better than a folder.
    (home / "metadata.csv").write_text(f"file_name,label,split\n{names[0]},up,test\n")
    assert facts(fetch(tmp_path / "other", home)) == {names[0]: ("up", "test")}
    # And what is asked for by name goes before both.
    rows = fetch(tmp_path / "third", home, layout="*/label").manifest
    assert set(rows["label"]) == {"train", "test"}


def test_metadata_of_one_split_and_of_half_a_split(tmp_path: Path) -> None:
    home = tree(tmp_path / "d", "train/a.wav", "train/b.wav", "more/c.wav")
    table = home / "metadata.csv"
    table.write_text("file_name,label\ntrain/a.wav,up\ntrain/b.wav,go\n")
    assert {split for _, split in facts(fetch(tmp_path / "raw", home)).values()} == {""}
    table.write_text("file_name,label\ntrain/a.wav,up\nmore/c.wav,go\n")
    with pytest.raises(GatewiseError, match=r"train looks like .* but more/c\.wav lies in none"):
        fetch(tmp_path / "other", home)


def test_tables_from_windows_with_columns_of_their_own(tmp_path: Path) -> None:
    tree(tmp_path, "d/up/a.wav", "d/go/b.wav")
    table = tmp_path / "list.csv"
    table.write_text("file,word\nd\\up\\a.wav,up\nd\\go\\b.wav,go\n")
    raw = fetch(tmp_path / "raw", table, columns={"path": "file", "label": "word"})
    assert raw.manifest["path"].tolist() == ["d/up/a.wav", "d/go/b.wav"]


@pytest.mark.parametrize("ending", ["aiff", "au", "opus", "caf", "w64"])
def test_what_libsndfile_reads_is_read(tmp_path: Path, ending: str) -> None:
    home = tree(tmp_path / "d", "up/a.wav")
    kind = {"opus": "OGG", "aiff": "AIFF", "au": "AU", "caf": "CAF", "w64": "W64"}[ending]
    soundfile.write(
        home / "up" / f"b.{ending}",
        sounds.noise(1, 8_000),
        8_000,
        format=kind,
        subtype="OPUS" if ending == "opus" else None,
    )
    rows = fetch(tmp_path / "raw", home).manifest
    assert len(rows) == 2
    assert rows["n_samples"].min() > 0


def test_other_files_are_counted_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tree(tmp_path / "d", "up/a.wav", "go/b.wav")
    for name in (
        "up/c.xyz",
        "up/d.xyz",
        "README.md",
        ".DS_Store",
        "up/._a.wav",
        "__MACOSX/up/a.wav",
    ):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(b"x")
    raw = fetch(tmp_path / "raw", home)
    assert raw.manifest["id"].tolist() == ["go/b.wav", "up/a.wav"]
    assert raw.card.skipped == {"not a sound file (.md)": 1, "not a sound file (.xyz)": 2}
    said = capsys.readouterr().err
    assert "left out 2 files that are no sounds (.xyz): up/c.xyz, up/d.xyz" in said


def test_sounds_in_foreign_formats_are_examples_that_cannot_be_used(tmp_path: Path) -> None:
    home = tree(tmp_path / "d", "up/a.wav")
    (home / "up" / "b.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")
    rows = fetch(tmp_path / "raw", home).manifest.set_index("id")
    assert rows.loc["up/b.m4a", "n_samples"] == 0


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    home = tree(tmp_path / "d", "up/a.wav")
    os.mkfifo(home / "up" / "pipe.wav")
    with pytest.raises(GatewiseError, match=r"pipe\.wav: not a regular file"):
        fetch(tmp_path / "raw", home)
    (home / "up" / "pipe.wav").unlink()
    (home / "up" / "gone.wav").symlink_to("nowhere.wav")
    with pytest.raises(GatewiseError, match=r"gone\.wav: a link to nowhere\.wav, which does not"):
        fetch(tmp_path / "raw", home)


def test_a_missing_file_is_named_with_its_list(tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    table.write_text("path,label\ngone.wav,a\n")
    with pytest.raises(GatewiseError, match=r"gone\.wav: no such file, although .*list\.csv names"):
        fetch(tmp_path / "raw", table)
