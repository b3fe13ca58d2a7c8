"""Folders and tables of images: understood, asked or refused, and what is written for them."""

import numpy as np
import pandas as pd
import pytest

from gatewise.artifacts.data_report import DataReport
from gatewise.data import checking
from gatewise.data.understanding import Ambiguous, Options, understand
from gatewise.errors import GatewiseError
from gatewise.repro.studies import proposal, writing
from gatewise.repro.studies.choices import plain
from tests.data.understanding.layouts import delimited, jsonl, rows
from tests.pictures import encoded, stroke
from tests.repro.studies.understandings import pace

LABELS = ("down", "left", "up")
PARTS = ("a small", "one level", "some upright", "no", "the bright", "a dim", "another")


def pictures(root, pattern, count=60, side=12, first=0):
    """An image for each number; `pattern` names it by `label` and `n`."""
    for number in range(first, first + count):
        path = root / pattern.format(label=LABELS[number % 3], n=number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(stroke(number % 2 == 0, number, side)))
    return root


def caption(number):
    return f"{PARTS[number % 7]} line, {PARTS[number % 5]} thing and {number} dots"


def listed(root, path="path", count=60, folder="", **more):
    """`path, ...` of images that lie below `root`."""
    pictures(root, folder + "{n}.png", count)
    given = [{path: f"{folder}{n}.png"} for n in range(count)]
    return [row | {name: give(n) for name, give in more.items()} for n, row in enumerate(given)]


def with_texts(root, text="caption", **more):
    return delimited(root / "d.csv", listed(root, **{text: caption, **more}))


def with_labels(root, label="label", **more):
    given = listed(root, **{label: lambda n: LABELS[n % 3].title(), **more})
    return delimited(root / "d.csv", given)


def hugging_face(root):
    for first, split in ((0, "train"), (60, "test")):
        pictures(root / split, "{n}.png", 60, first=first)
        given = [{"file_name": f"{n}.png", "text": caption(n)} for n in range(first, first + 60)]
        jsonl(root / split / "metadata.jsonl", given)
    return root


def several_texts(root):
    given = listed(root, image=lambda n: f"{n}.png", text=caption)
    more = [row | {"text": row["text"] + " again"} for row in given]
    return delimited(
        root / "d.csv", [{"image": r["image"], "text": r["text"]} for r in given + more]
    )


def some_broken(root):
    pictures(root, "{label}/{n}.png")
    (root / "up" / "broken.png").write_bytes(encoded(stroke(True, 1))[:80])
    (root / "NOTES.txt").write_text("what this is")
    return root


UNDERSTOOD = {
    "a folder a label": (
        lambda root: pictures(root, "{label}/{n}.png"),
        {"kind": "image-folder", "objective": "classify", "layout": None, "groups": None},
    ),
    "splits above labels": (
        lambda root: pictures(
            pictures(root, "train/{label}/{n}.png"), "test/{label}/{n}.png", 30, first=60
        ),
        {"layout": "split/label", "splits": {"train": 60, "test": 30}},
    ),
    "numbered persons above labels": (
        lambda root: (
            [pictures(root, f"person{n}/{{label}}/{{n}}.png", 30, first=30 * n) for n in range(3)]
            and root
        ),
        {"layout": "group/label", "groups": 3},
    ),
    "labels in the names": (
        lambda root: pictures(root, "{label}_{n}.png"),
        {"kind": "image-folder", "name": "^(?P<label>[^_]+)_"},
    ),
    "some broken, and notes": (
        some_broken,
        {"unusable": {"broken image": 1}, "kind": "image-folder"},
    ),
    "a table of texts": (
        with_texts,
        {
            "kind": "captions",
            "objective": "generate",
            "columns": {"path": "path", "text": "caption"},
            "lowercase": None,
        },
    ),
    "a table of texts, by whom and in which split": (
        lambda root: with_texts(
            root,
            "text",
            author=lambda n: f"a{n % 9}",
            split=lambda n: ("train", "test")[n % 5 == 0],
        ),
        {
            "columns": {"path": "path", "text": "text", "split": "split", "group": "author"},
            "splits": {"train": 48, "test": 12},
            "groups": 9,
        },
    ),
    "several texts an image": (several_texts, {"examples": 60, "several": 60}),
    "a folder with its table": (
        lambda root: with_texts(root).parent,
        {"kind": "captions", "columns": {"path": "path", "text": "caption"}},
    ),
    "Hugging Face's imagefolder": (
        hugging_face,
        {"kind": "captions", "splits": {"train": 60, "test": 60}, "objective": "generate"},
    ),
    "a table of labels": (
        with_labels,
        {
            "kind": "captions",
            "objective": "classify",
            "columns": {"path": "path", "text": "label"},
            "lowercase": False,
            "labels": ["Down", "Left", "Up"],
        },
    ),
    "texts with pictures that nobody saved": (
        lambda root: delimited(
            root / "d.csv", [{**row, "photo": f"{n}.jpg"} for n, row in enumerate(rows())]
        ),
        {"kind": "text-file", "objective": "classify"},
    ),
    "tables beside one picture": (
        lambda root: pictures(delimited(root / "d.csv", rows()).parent, "logo{n}.png", 1) / "d.csv",
        {"kind": "text-file"},
    ),
}


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_understood(tmp_path, name):
    build, expected = UNDERSTOOD[name]
    path = tmp_path / "mine"
    path.mkdir()
    found = understand(build(path))
    facts = {
        "kind": found.source["kind"],
        "objective": found.objective,
        "labels": sorted(found.labels),
        "examples": found.examples,
        "splits": found.split_sizes if found.splits == "published" else None,
        "groups": found.groups,
        "unusable": found.unusable,
        "several": found.said and found.said.several,
        **{key: found.source.get(key) for key in ("layout", "name", "columns", "lowercase")},
    }
    assert {key: facts[key] for key in expected} == expected
    study = proposal.propose(found, timer=pace())
    assert plain(study.sections)["tasks"][found.name]["source"] == found.source
    writing.render(study)  # which reads it again


ASKED = {
    "persons above labels": (
        lambda root: (
            [
                pictures(root, f"{who}/{{label}}/{{n}}.png", 30, first=30 * place)
                for place, who in enumerate(("ann", "bob", "eve"))
            ]
            and root
        ),
        [{"layout": "group/label"}, {"layout": "label/group"}],
    ),
    "a text and a label": (
        lambda root: with_texts(root, label=lambda n: LABELS[n % 3]),
        [{"objective": "generate"}, {"objective": "classify"}],
    ),
    "long values that repeat": (
        lambda root: (
            with_texts(root, "said", what=lambda n: 1).parent
            and delimited(root / "d.csv", listed(root, said=lambda n: caption(n // 4)))
        ),
        [{"objective": "classify"}, {"objective": "generate"}],
    ),
    "two columns of texts": (
        lambda root: with_texts(root, "one", other=lambda n: caption(n) + " too"),
        [{"text": "one"}, {"text": "other"}],
    ),
    "two columns of labels": (
        lambda root: with_labels(root, "shape", colour=lambda n: ("red", "blue")[n % 2]),
        [{"label": "shape"}, {"label": "colour"}],
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_asked(tmp_path, name):
    build, choices = ASKED[name]
    path = build(tmp_path)
    with pytest.raises(Ambiguous) as asked:
        understand(path)
    assert [dict(reading.choice) for reading in asked.value.readings] == choices
    for choice in choices:  # each of them settles it
        understand(path, Options(**choice))


def phone(root):
    for n in range(60):
        path = root / LABELS[n % 3] / f"{n}.heic"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"ftypheic" + bytes([n]))
    return root


def all_broken(root):
    for n in range(60):
        path = root / LABELS[n % 3] / f"{n}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"no image" + bytes([n]))
    return root


def labelled_twice(root):
    given = listed(root, label=lambda n: LABELS[n % 3])
    return delimited(root / "d.csv", [*given, given[7] | {"label": "up"}])


def elsewhere(root):
    listed(root, folder="img/")
    given = [{"file_name": f"{n}.png", "text": caption(n)} for n in range(60)]
    delimited(root / "metadata.csv", given)
    return root


def two_tables(root):
    with_texts(root)
    (root / "e.csv").write_text((root / "d.csv").read_text())
    return root


REFUSED = {
    "formats of phones": (phone, {}, r"\(\.heic\) are in formats that cannot be decoded; convert"),
    "nothing that can be decoded": (all_broken, {}, r"cannot be decoded as image, nor can any"),
    "one image": (
        lambda root: pictures(root, "{n}.png", 1) / "0.png",
        {},
        "one image; give the folder",
    ),
    "names that say nothing": (
        lambda root: pictures(root, "{n}.png"),
        {},
        "no pattern in their names says the labels",
    ),
    "one label": (
        lambda root: pictures(root, "all/{n}.png"),
        {},
        r"one label \(all\) leaves nothing",
    ),
    "an image labelled twice": (labelled_twice, {}, r"row 61: 7\.png stands in an earlier row"),
    "paths that lead elsewhere": (elsewhere, {}, "names no images that are there"),
    "two tables": (two_tables, {}, r"d\.csv, e\.csv all list images"),
    "transcripts of images": (with_texts, {"objective": "transcribe"}, "lists images, which are"),
    "a column that is not there": (with_texts, {"text": "said"}, "--text: no column 'said'"),
    "labels left out of a table": (with_labels, {"without": ("Up",)}, "--without is for folders"),
    "only numbers beside images": (
        lambda root: delimited(root / "d.csv", listed(root, size=lambda n: f"{n / 7:.3f}")),
        {"objective": "generate"},
        "no column says what is in an image",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path, name):
    build, options, said = REFUSED[name]
    with pytest.raises(GatewiseError, match=said) as refused:
        understand(build(tmp_path), Options(**options))
    assert not isinstance(refused.value, Ambiguous)
    assert str(tmp_path) in str(refused.value)


def test_sizes_and_colours_are_measured(tmp_path):
    pictures(tmp_path, "{label}/{n}.png", 30, side=12)
    pictures(tmp_path, "{label}/{n}.png", 60, side=20, first=30)
    (tmp_path / "up" / "grey.png").write_bytes(encoded(np.zeros((30, 9), np.uint8)))
    sizes = understand(tmp_path).images
    assert sizes is not None
    assert (sizes.heights[0], sizes.heights[-1]) == (12, 30)
    assert sizes.widths[0] == 9
    assert sizes.coloured == 90


def test_a_test_set_stays_apart(tmp_path):
    own = pictures(tmp_path / "own", "{label}/{n}.png")
    later = pictures(tmp_path / "june", "{label}/{n}.png", 30, first=60)
    assert understand(own, test=later).split_sizes == {"train": 60, "test": 30}
    table = with_texts(tmp_path / "said")
    with pytest.raises(GatewiseError, match="name the split of each example in a column"):
        understand(table, test=table)


def test_options_that_say_nothing_of_images(tmp_path):
    folder = pictures(tmp_path / "own", "{label}/{n}.png")
    with pytest.raises(GatewiseError, match=r"--delimiter says nothing here.*image-folder"):
        understand(folder, Options(delimiter=";"))
    table = with_texts(tmp_path / "said")
    with pytest.raises(GatewiseError, match="--source says nothing here"):
        understand(table, Options(source="caption"))


CHECKED = {
    "a folder a label": lambda root: pictures(root, "{label}/{n}.png"),
    "its group in the names": lambda root: pictures(root, "{label}/cam{n}_x.png"),
    "a table of texts": with_texts,
    "a folder with its table": lambda root: with_texts(root).parent,
    "a table of labels": with_labels,
    "Hugging Face's imagefolder": hugging_face,
}


@pytest.mark.parametrize("name", CHECKED)
def test_they_are_certified_as_other_data_are(tmp_path, name):
    report, wrong = checking.check(CHECKED[name](tmp_path))
    assert isinstance(report, DataReport)
    assert wrong == ""
    assert report.unusable.count == 0


def test_a_leak_and_a_broken_image_are_found(tmp_path):
    pictures(pictures(tmp_path, "train/{label}/{n}.png"), "test/{label}/{n}.png", 30, first=60)
    (tmp_path / "test/down/again.png").write_bytes((tmp_path / "train/down/0.png").read_bytes())
    assert "duplicates" in checking.check(tmp_path)[1]
    (tmp_path / "test/down/again.png").write_bytes(b"no image")
    assert "again.png" in checking.check(tmp_path)[1]


def test_labels_of_a_table_keep_their_case_and_are_asked_for(tmp_path):
    found = understand(with_labels(tmp_path))
    task = plain(proposal.propose(found, timer=pace()).sections)["tasks"][found.name]
    assert task["objective"] == {"kind": "classify"}
    assert pd.Series(found.labels).index.tolist() == ["Down", "Left", "Up"]


def test_labels_of_folders_need_no_objective(tmp_path):
    found = understand(pictures(tmp_path, "{label}/{n}.png"))
    task = plain(proposal.propose(found, timer=pace()).sections)["tasks"][found.name]
    assert "objective" not in task
