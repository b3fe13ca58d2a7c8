"""Tables of images with texts, and the folders that people have."""

import json

import pandas as pd
import pytest

from gatewise.config import source_class
from gatewise.data import sources
from gatewise.errors import GatewiseError
from tests.pictures import encoded, stroke, write_images, write_table


def source(path, **options):
    return source_class("captions").model_validate(
        {"kind": "captions", "path": str(path), **options}
    )


def fetch(tmp_path, path, **options):
    return sources.fetch(source(path, **options), tmp_path / "raw")


def test_a_table_of_paths_and_texts(tmp_path):
    more = {"group": ["ann", "bob"], "split": ["train", "Testing"]}
    table = write_table(tmp_path / "own", ["  An UPRIGHT   line", "a level line"], **more)
    raw = fetch(tmp_path, table)
    assert raw.card.payload == "image"
    assert raw.manifest["label"].tolist() == ["an upright line", "a level line"]
    assert raw.manifest["group"].tolist() == ["ann", "bob"]
    assert raw.manifest["split"].tolist() == ["train", "test"]
    assert raw.manifest["n_samples"].tolist() == [144, 144]
    assert raw.locate("0.png").is_file()
    assert source(table, lowercase=False)._listed()[1][0].label == "An UPRIGHT line"


def test_several_rows_of_an_image_are_several_texts_that_are_right(tmp_path):
    table = write_table(tmp_path / "own", ["one", "two"])
    texts = [("0.png", "a line"), ("1.png", "flat"), ("0.png", "a stroke"), ("0.png", "A  line")]
    pd.DataFrame(texts, columns=["image", "caption"]).to_csv(table, index=False)
    raw = fetch(tmp_path, table)
    assert raw.manifest["id"].tolist() == ["0.png", "1.png"]
    assert raw.manifest["label"].tolist() == ["a line\na stroke", "flat"]
    assert raw.manifest["group"].str.startswith("content:").all()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_hugging_face_folders_with_a_table_for_each_split(tmp_path, form):
    for split, numbers in (("train", (0, 1)), ("test", (2,))):
        folder = tmp_path / "hf" / split
        folder.mkdir(parents=True)
        rows = [{"file_name": f"{n}.png", "text": f"line {n}"} for n in numbers]
        for n in numbers:
            (folder / f"{n}.png").write_bytes(encoded(stroke(True, n)))
        if form == "csv":
            pd.DataFrame(rows).to_csv(folder / "metadata.csv", index=False)
        else:
            lines = "\n".join(map(json.dumps, rows))
            (folder / "metadata.jsonl").write_text(lines)
    raw = fetch(tmp_path, tmp_path / "hf")
    found = raw.manifest.set_index("id")
    assert found.loc["train/1.png", ["label", "split"]].tolist() == ["line 1", "train"]
    assert found.loc["test/2.png", "split"] == "test"
    assert set(source(tmp_path / "hf").reads()) >= {tmp_path / "hf/test/2.png"}


def test_images_without_a_text_are_counted_and_named(tmp_path, capsys):
    names = write_images(tmp_path / "own", 3)
    pd.DataFrame({"file_name": names[:2], "text": ["a", "b"]}).to_csv(
        tmp_path / "own" / "metadata.csv", index=False
    )
    raw = fetch(tmp_path, tmp_path / "own")
    assert raw.card.skipped == {"image without a text": 1}
    assert "1 images have no text in its tables, e.g. 2.png" in capsys.readouterr().err


def test_rows_of_an_image_must_agree(tmp_path):
    table = write_table(tmp_path / "own", ["one", "two"])
    rows = [("0.png", "a", "ann"), ("0.png", "b", "bob")]
    pd.DataFrame(rows, columns=["path", "text", "group"]).to_csv(table, index=False)
    said = r"row 2: 0\.png is of group 'bob' here and of 'ann' in .*row 1"
    with pytest.raises(GatewiseError, match=said):
        fetch(tmp_path, table)


def test_what_cannot_be_used_is_named(tmp_path):
    table = write_table(tmp_path / "own", ["one", "", "two"])
    with pytest.raises(GatewiseError, match=r"table\.csv, row 2: column 'text' is empty"):
        source(table).look()
    with pytest.raises(GatewiseError, match="no column 'said'"):
        fetch(tmp_path, table, columns={"text": "said"})
    with pytest.raises(GatewiseError, match=r"no table of texts in it \(metadata\.csv"):
        fetch(tmp_path, tmp_path)
    with pytest.raises(GatewiseError, match="no such table or folder"):
        fetch(tmp_path, tmp_path / "nowhere.csv")
    good = write_table(tmp_path / "good", ["one", "two"], split=["train", "later"])
    with pytest.raises(GatewiseError, match=r"row 2: split 'later'; allowed: train"):
        fetch(tmp_path, good)
    (tmp_path / "good" / "1.png").unlink()
    pd.read_csv(good).drop(columns="split").to_csv(good, index=False)
    with pytest.raises(GatewiseError, match=r"1\.png: no such file, although .*row 2 names it"):
        fetch(tmp_path, good)
