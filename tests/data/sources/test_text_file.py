import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gatewise.artifacts.manifest import Raw
from gatewise.config import source_class
from gatewise.data import sources
from gatewise.errors import GatewiseError

ROWS = pd.DataFrame(
    {
        "question": ["Where is it?", 'He said "no", twice', "where is IT"],
        "intent": ["place", "word", "place"],
        "who": ["a", "b", "a"],
        "part": ["train", "test", "validation"],
    }
)


def fetch(target: Path, path: Path | dict[str, str], **options: Any) -> Raw:
    given = {"kind": "text-file", "path": path if isinstance(path, dict) else str(path)}
    return sources.fetch(source_class("text-file").model_validate({**given, **options}), target)


def save(path: Path) -> Path:
    match path.suffix:
        case ".csv":
            ROWS.to_csv(path, index=False)
        case ".tsv":
            ROWS.to_csv(path, index=False, sep="\t", quoting=3, escapechar=None)
        case ".parquet":
            ROWS.to_parquet(path)
        case ".jsonl":
            lines = [json.dumps(row) for row in ROWS.to_dict("records")]
            path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_every_format_gives_the_same(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"rows.{suffix}")
    columns = {"text": "question", "label": "intent", "group": "who", "split": "part"}
    raw = fetch(tmp_path / "raw", path, **columns)
    texts = pd.read_parquet(raw.folder / "documents.parquet")
    assert texts["text"].tolist() == ROWS["question"].tolist()
    assert raw.manifest["id"].tolist() == texts["id"].tolist() == ["row-1", "row-2", "row-3"]
    assert raw.manifest["label"].tolist() == ROWS["intent"].tolist()
    assert raw.manifest["group"].tolist() == ROWS["who"].tolist()
    assert raw.manifest["split"].tolist() == ROWS["part"].tolist()


def test_texts_that_are_the_same_form_a_group(tmp_path: Path) -> None:
    path = save(tmp_path / "rows.csv")
    groups = fetch(tmp_path / "raw", path, text="question", label="intent").manifest["group"]
    assert groups[0] == groups[2] != groups[1]


def test_a_file_for_each_split(tmp_path: Path) -> None:
    path = str(save(tmp_path / "rows.csv"))
    raw = fetch(tmp_path / "raw", {"train": path, "test": path}, text="question", label="intent")
    assert raw.manifest["split"].tolist() == ["train"] * 3 + ["test"] * 3
    assert raw.manifest["id"].is_unique


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("\ufefftext,label\nhello,a\n", encoding="utf-8")
    assert fetch(tmp_path / "raw", path).manifest["label"].tolist() == ["a"]


def test_other_encodings_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("text,label\ncafé,a\n".encode("latin-1"))
    raw = fetch(tmp_path / "raw", path, encoding="latin-1")
    assert pd.read_parquet(raw.folder / "documents.parquet")["text"].tolist() == ["café"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text,label\nx\n", r"a\.csv, line 2: 1 fields where the header has 2"),
        ("a.csv", 'text,label\n"x,a\n', r"a\.csv, line 2"),
        ("a.csv", "text,label\nx,\n", r"a\.csv, row 1: column 'label' is empty"),
        ("a.csv", "text,label\n", r"a\.csv: no rows"),
        ("a.jsonl", '{"text": "x", "label": "a"}\n{"text"\n', r"a\.jsonl, line 2: not JSON"),
        ("a.jsonl", '{"text": "x"}\n', r"line 1: no column 'label'"),
        ("a.jsonl", "[1]\n", "line 1: not an object"),
        ("a.parquet", "text", "not Parquet"),
        ("a.docx", "text", "cannot tell the format"),
    ],
)
def test_malformed_tables(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(GatewiseError, match=message):
        fetch(tmp_path / "raw", tmp_path / name)
    assert not (tmp_path / "raw").exists()
