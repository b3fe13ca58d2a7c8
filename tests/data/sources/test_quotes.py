"""Quotes in tables: no row is swallowed without a word."""

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gatewise.artifacts.manifest import Raw
from gatewise.config import source_class
from gatewise.data import sources
from gatewise.errors import GatewiseError


def fetch(target: Path, path: Path, **options: Any) -> Raw:
    given = {"kind": "text-file", "path": str(path), **options}
    return sources.fetch(source_class("text-file").model_validate(given), target)


def texts(raw: Raw) -> list[str]:
    return pd.read_parquet(raw.folder / "documents.parquet")["text"].tolist()


def stray(delimiter: str, rows: int = 60) -> str:
    """Rows of which every other begins with a quote, and the next ends with one."""
    lines = [
        f'"what is {i}{delimiter}ab' if i % 2 == 0 else f'it is {i}"{delimiter}cd'
        for i in range(rows)
    ]
    return f"text{delimiter}label\n" + "\n".join(lines) + "\n"


def test_a_tsv_is_unquoted_unless_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.tsv"
    path.write_text(stray("\t") + '"quoted"\tab\n')
    raw = fetch(tmp_path / "raw", path)
    assert len(raw.manifest) == 61
    assert texts(raw)[:2] == ['"what is 0', 'it is 1"']
    assert "1 fields begin and end with a quote" in capsys.readouterr().err
    quoted = tmp_path / "b.tsv"
    quoted.write_text('text\tlabel\n"He said ""no"""\ta\n')
    assert texts(fetch(tmp_path / "quoted", quoted, quoting="standard")) == ['He said "no"']


def test_a_csv_whose_quotes_swallow_rows_is_refused_where_the_quote_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\nplain,ab\nplain,cd\n" + stray(",").split("\n", 1)[1])
    with pytest.raises(GatewiseError, match=r"line 4: a quote that opens here swallows 2 rows"):
        fetch(tmp_path / "raw", path)
    assert len(fetch(tmp_path / "bare", path, quoting="none").manifest) == 62
    assert len(fetch(tmp_path / "told", path, quoting="standard").manifest) == 32


def test_even_where_no_row_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(stray(","))
    with pytest.raises(GatewiseError, match="line 2: a quote that opens here swallows 2 rows"):
        fetch(tmp_path / "raw", path)


def test_texts_of_several_lines_are_read(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "text": ["Dear, friend\nhow, are\nyou", 'one\n"two", three', "\n\nx, y"],
            "label": ["a", "b", "a"],
        }
    )
    frame.to_csv(tmp_path / "a.csv", index=False)
    assert texts(fetch(tmp_path / "raw", tmp_path / "a.csv")) == frame["text"].tolist()


def test_a_quote_that_runs_on_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('text,label\nx,a\n"' + "word\n" * 1_200 + '",b\n')
    with pytest.raises(GatewiseError, match="line 3: a quote that opens here closes 1200 lines"):
        fetch(tmp_path / "raw", path)
    path.write_text('text,label\nx,a\n"y,b\nz,a\n')
    with pytest.raises(GatewiseError, match="line 3: a quote opens here and never closes"):
        fetch(tmp_path / "other", path)


def test_delimiter_header_encoding_and_gzip(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress("schön;a\nmüde;b\n".encode("utf-16")))
    raw = fetch(
        *(tmp_path / "raw", path),
        **{"delimiter": ";", "header": False, "encoding": "utf-16", "text": "1", "label": "2"},
    )
    assert texts(raw) == ["schön", "müde"]
    with pytest.raises(GatewiseError, match="unknown encoding 'utf-99'"):
        fetch(tmp_path / "raw2", path, encoding="utf-99")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"text": "x", "label": NaN}\n', "row 1: column 'label' is empty"),
        ("a.jsonl", '{"text": "x", "label": ["a"]}\n', "line 1: column 'label' holds a list"),
        ("a.jsonl", '{"text": {}, "label": "a"}\n', "line 1: column 'text' holds an object"),
        ("a.jsonl", '{"text": "\\ud800", "label": "a"}\n', r"line 1: .* half of a surrogate pair"),
        ("a.jsonl", '{"text": "x", "label": "a", "label": "b"}\n', "'label' stands there 2 times"),
        ("a.csv", "text,label,text\nx,a,y\n", "2 columns are called 'text'"),
        ("a.csv", "text,label\nx,  \n", "row 1: column 'label' is empty"),
    ],
)
def test_cells_that_would_become_strange_classes(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(GatewiseError, match=message):
        fetch(tmp_path / "raw", tmp_path / name)


def test_spaces_make_no_class_and_a_byte_order_mark_no_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.jsonl"
    labels = ["GetWeather ", "GetWeather", "getweather", "Play Music", "play_music"]
    rows = [{"text": f"t{i}", "label": label} for i, label in enumerate(labels)]
    path.write_text("\ufeff" + "\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    raw = fetch(tmp_path / "raw", path)
    assert raw.manifest["label"].tolist() == [label.strip() for label in labels]
    said = capsys.readouterr().err
    assert "spaces around labels taken away: 'GetWeather ' (1)" in said
    assert "the labels 'GetWeather', 'getweather' differ in case or spacing only" in said
    assert "the labels 'Play Music', 'play_music' differ" in said
