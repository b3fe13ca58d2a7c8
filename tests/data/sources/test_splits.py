"""Sounds of which each published split lies in a place of its own."""

from pathlib import Path
from typing import Any

import pytest

from gatewise.config import source_class
from gatewise.data import sources
from gatewise.errors import GatewiseError
from tests import sounds


def source(**options: Any) -> Any:
    return source_class("audio-folder").model_validate({"kind": "audio-folder", **options})


def tree(root: Path, seed: int, *names: str) -> Path:
    for place, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(sounds.wav(seed + place))
    return root


def test_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path / "project" / "here", 0, "up/1.wav", "go/1.wav", "go/notes.txt")
    tree(tmp_path / "away" / "later", 10, "up/1.wav", "go/1.wav")
    monkeypatch.chdir(tmp_path / "project")
    for test in ("../away/later", str(tmp_path / "away" / "later")):
        given = source(path={"train": "here", "test": test})
        raw = sources.fetch(given, tmp_path / "raw")
        rows = raw.manifest.sort_values(["split", "label"])
        assert rows["split"].tolist() == ["test", "test", "train", "train"]
        assert rows["label"].tolist() == ["go", "up", "go", "up"]
        assert all(raw.locate(path).is_file() for path in rows["path"])
        assert rows["id"].is_unique
        assert raw.card.skipped == {"not a sound file (.txt)": 1}
    assert sources.reads(given)[0] == Path("here")
    given.look()


def test_a_table_and_a_folder(tmp_path: Path) -> None:
    home = tree(tmp_path / "a", 0, "x/1.wav", "x/2.wav")
    (home / "list.csv").write_text("path,label\nx/1.wav,up\nx/2.wav,go\n")
    away = tree(tmp_path / "b", 10, "up/1.wav", "go/1.wav")
    given = source(path={"train": str(home / "list.csv"), "test": str(away)})
    raw = sources.fetch(given, tmp_path / "raw")
    assert sorted(raw.manifest["label"]) == ["go", "go", "up", "up"]
    assert sources.reads(given)[2:] == [home / "x/1.wav", home / "x/2.wav"]


def test_a_place_that_names_splits_itself(tmp_path: Path) -> None:
    home = tree(tmp_path / "a", 0, "train/up/1.wav", "test/up/2.wav")
    away = tree(tmp_path / "b", 10, "up/1.wav")
    given = source(path={"train": str(home), "test": str(away)}, layout=None)
    with pytest.raises(GatewiseError, match=r"a: names splits itself, although .* the split train"):
        given.listed()


@pytest.mark.parametrize(("said", "meant"), [("dev", "validation"), ("Testing", "test")])
def test_names_of_splits_in_a_column(tmp_path: Path, said: str, meant: str) -> None:
    home = tree(tmp_path / "a", 0, "1.wav", "2.wav")
    (home / "list.csv").write_text(f"path,label,split\n1.wav,up,train\n2.wav,go,{said}\n")
    found = source(path=str(home / "list.csv")).listed()[1]
    assert [one.split for one in found] == ["train", meant]
    table = tmp_path / "t.csv"
    table.write_text(f"text,label,split\nso,up,training\nno,go,{said}\n")
    texts = source_class("text-file").model_validate(
        {"kind": "text-file", "path": str(table), "split": "split"}
    )
    raw = sources.fetch(texts, tmp_path / "raw")
    assert raw.manifest["split"].tolist() == ["train", meant]


def test_labels_that_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tree(tmp_path / "a", 0, "up/1.wav", "go/1.wav", "hum/1.wav", "hum/2.wav")
    raw = sources.fetch(source(path=str(home), without=["hum"]), tmp_path / "raw")
    assert sorted(raw.manifest["label"]) == ["go", "up"]
    assert "left out 2 examples of 'hum'" in capsys.readouterr().err
    with pytest.raises(GatewiseError, match="without: no label 'hun'; did you mean hum"):
        source(path=str(home), without=["hun"]).listed()
