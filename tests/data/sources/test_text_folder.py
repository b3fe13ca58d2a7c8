import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gatewise.artifacts.manifest import DOCUMENTS, LONGEST_DOCUMENT, Raw
from gatewise.config import TaskConfig, source_class
from gatewise.data import sources
from gatewise.data.preparation import build
from gatewise.data.sources import text_folder
from gatewise.errors import GatewiseError

FILES = {
    "sport/a.txt": "The team won.",
    "sport/b.txt": "the TEAM won",
    "money/a.txt": "Shares fell.\nAgain.",
    "money/b": "Rates rose.",
}


def folder(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def fetch(target: Path, path: Path | dict[str, str], **options: Any) -> Raw:
    given = {"kind": "text-folder", "path": path if isinstance(path, dict) else str(path)}
    return sources.fetch(source_class("text-folder").model_validate({**given, **options}), target)


def texts(raw: Raw) -> dict[str, str]:
    stored = pd.read_parquet(raw.folder / DOCUMENTS)
    assert stored["id"].tolist() == raw.manifest["id"].tolist()
    return dict(zip(stored["id"], stored["text"], strict=True))


def test_a_folder_is_a_label_and_a_file_a_text(tmp_path: Path) -> None:
    raw = fetch(tmp_path / "raw", folder(tmp_path / "news", FILES))
    assert texts(raw) == FILES
    labels = dict(zip(raw.manifest["id"], raw.manifest["label"], strict=True))
    assert labels == {name: name.split("/")[0] for name in FILES}
    assert set(raw.manifest["split"]) == {""}
    groups = dict(zip(raw.manifest["id"], raw.manifest["group"], strict=True))
    assert groups["sport/a.txt"] == groups["sport/b.txt"] != groups["money/a.txt"]


def test_splits_groups_and_labels_stand_in_folders_and_names(tmp_path: Path) -> None:
    named = {
        f"{s}/{w}_{n}.txt": f"{s} {w} {n}" for s in ("train", "test") for w in "xy" for n in (1, 2)
    }
    root = folder(tmp_path / "mails", named)
    options = {"layout": "split", "name": "(?P<label>[^_]+)_", "group": r"_(\d)"}
    rows = fetch(tmp_path / "raw", root, **options).manifest
    assert rows["split"].value_counts().to_dict() == {"train": 4, "test": 4}
    assert set(rows["label"]) == {"x", "y"}
    assert set(rows["group"]) == {"1", "2"}


def test_splits_lie_in_places_of_their_own(tmp_path: Path) -> None:
    folder(tmp_path / "old", FILES)
    folder(tmp_path / "new", {"sport/c.txt": "a goal", "money/c.txt": "a loan"})
    path = {"train": str(tmp_path / "old"), "test": str(tmp_path / "new")}
    raw = fetch(tmp_path / "raw", path)
    assert raw.manifest.loc[raw.manifest["split"] == "test", "id"].tolist() == [
        "new/money/c.txt",
        "new/sport/c.txt",
    ]
    assert texts(raw)["new/sport/c.txt"] == "a goal"


def test_files_about_the_data_are_left_out_and_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    about = {"README": "what this is", "train/urls.txt": "a list", "train/bow.feat": "1:2"}
    split = {f"{s}/{name}": text for s in ("train", "test") for name, text in FILES.items()}
    raw = fetch(tmp_path / "raw", folder(tmp_path / "news", {**split, **about}))
    assert set(raw.manifest["id"]) == set(split)
    assert raw.card.skipped == {
        "beside folders of texts": 2,
        "no text files by their names": 1,
    }
    assert "README, train/urls.txt" in capfd.readouterr().err


def test_many_texts_beside_folders_are_not_passed_over(tmp_path: Path) -> None:
    deeper = {f"sport/{n}.txt": f"game {n}" for n in range(9)} | {"sport/old/1.txt": "a game"}
    with pytest.raises(GatewiseError, match="can be read in two ways"):
        fetch(tmp_path / "raw", folder(tmp_path / "news", {**FILES, **deeper}))
    raw = fetch(tmp_path / "raw", tmp_path / "news", layout="label")
    assert raw.manifest["label"].value_counts().to_dict() == {"sport": 12, "money": 2}


def test_encodings_are_those_declared_or_marked(tmp_path: Path) -> None:
    mixed = {
        "a/marked.txt": "ein Café".encode("utf-16"),
        "a/plain.txt": "ein Café",
        "b/old.txt": "naïve Café".encode("latin-1"),
    }
    root = folder(tmp_path / "texts", mixed)
    with pytest.raises(GatewiseError, match=r"old.txt, line 1: byte 0xef is not utf-8; .*fallback"):
        fetch(tmp_path / "raw", root)
    found = texts(fetch(tmp_path / "raw", root, fallback="cp1252"))
    assert list(found.values()) == ["ein Café", "ein Café", "naïve Café"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "utf-9"}, "unknown encoding 'utf-9'"),
        ({"fallback": "klingon"}, "unknown encoding 'klingon'"),
        ({"group": "[^_]+"}, "no bracket that captures the group"),
        ({"layout": "label/who"}, "no role of a folder"),
    ],
)
def test_options_are_checked_when_they_are_read(options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        source_class("text-folder").model_validate({"kind": "text-folder", "path": "x", **options})


def test_empty_and_endless_files_are_left_for_preparation_to_judge(tmp_path: Path) -> None:
    long = "ä" * (2 * LONGEST_DOCUMENT + 10)  # 4 MB: a character is cut where reading stops
    files = {**FILES, "sport/empty.txt": "", "sport/long.txt": "x" + long}
    raw = fetch(tmp_path / "raw", folder(tmp_path / "news", files))
    found = texts(raw)
    assert found["sport/empty.txt"] == ""
    assert len(found["sport/long.txt"]) == LONGEST_DOCUMENT + 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("sport/x.txt", b"PK\0\0\1", "it holds zero bytes"),
        ("sport/x.txt", b"a\nb\xff", "x.txt, line 2: byte 0xff is not utf-8"),
    ],
)
def test_what_is_no_text_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    root = folder(tmp_path / "news", {**FILES, name: content})
    with pytest.raises(GatewiseError, match=message):
        fetch(tmp_path / "raw", root)


def test_a_pipe_named_like_a_text_is_not_waited_for(tmp_path: Path) -> None:
    root = folder(tmp_path / "news", FILES)
    os.mkfifo(root / "sport" / "pipe.txt")
    with pytest.raises(GatewiseError, match="not a regular file"):
        fetch(tmp_path / "raw", root)


def test_a_folder_without_texts_is_refused(tmp_path: Path) -> None:
    root = folder(tmp_path / "news", {"a/x.pdf": "%PDF"})
    with pytest.raises(GatewiseError, match="no text files"):
        fetch(tmp_path / "raw", root)
    with pytest.raises(GatewiseError, match="no such folder"):
        fetch(tmp_path / "raw", tmp_path / "gone")


def test_what_is_read_can_be_prepared(tmp_path: Path) -> None:
    files = {f"{w}/{n}.txt": f"{w} {n} of many words" for w in ("up", "down") for n in range(40)}
    root = folder(tmp_path / "texts", {**files, "up/empty.txt": " \n", "README": "about"})
    settings = {
        "source": {"kind": "text-folder", "path": str(root)},
        "features": {"kind": "tokens"},
        "on_bad": "skip",
    }
    task = TaskConfig.model_validate(settings)
    sources.fetch(task.source, tmp_path / "raw")
    prepared, _ = build.prepare("texts", task, tmp_path / "raw", tmp_path / "made", workers=1)
    assert len(prepared.index) == 80
    assert prepared.card.labels == ["down", "up"]
    assert "up/empty.txt" not in set(prepared.index["id"])
    strict = task.model_copy(update={"on_bad": "fail"})
    with pytest.raises(GatewiseError, match=r"up/empty.txt: empty text"):
        build.prepare("texts", strict, tmp_path / "raw", tmp_path / "made", workers=1)


def test_refusals_come_early(tmp_path: Path) -> None:
    root = folder(tmp_path / "news", {"loose.txt": "no label"})
    source = source_class("text-folder").model_validate({"kind": "text-folder", "path": str(root)})
    with pytest.raises(GatewiseError, match="lies in no label's folder"):
        source.look()  # type: ignore[attr-defined]
    assert sources.reads(source) == [root]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        *((name, True) for name in ("a.txt", "a.MD", "37261", "12.", "a.1999")),
        *((name, False) for name in ("a.pdf", "a.csv", "a.wav")),
    ],
)
def test_texts_are_told_by_their_names(name: str, known: bool) -> None:
    assert text_folder.is_text(Path(name)) is known
