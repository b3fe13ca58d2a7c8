from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from gatewise.artifacts.manifest import Raw
from gatewise.config import source_class
from gatewise.data import sources
from gatewise.errors import GatewiseError
from tests import sounds

pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets
    import huggingface_hub.constants

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


def fetch(target: Path, **options: Any) -> Raw:
    return sources.fetch(source_class("hub").model_validate({"kind": "hub", **options}), target)


def text_set(path: Path) -> Path:
    path.mkdir()
    for split, rows in (("train", 4), ("test", 2)):
        frame = pd.DataFrame(
            {
                "sentence": [f"{split} sentence {i}" for i in range(rows)],
                "label": [["good", "bad"][i % 2] for i in range(rows)],
            }
        )
        frame.to_csv(path / f"{split}.csv", index=False)
    return path


def test_texts_of_a_local_folder(tmp_path: Path) -> None:
    raw = fetch(tmp_path / "raw", name=str(text_set(tmp_path / "set")), text="sentence")
    assert raw.manifest["split"].tolist() == ["train"] * 4 + ["test"] * 2
    assert raw.manifest["label"].tolist() == ["good", "bad"] * 3
    texts = pd.read_parquet(raw.folder / "documents.parquet")["text"]
    assert texts[4] == "test sentence 0"


def test_one_split_alone_is_divided_here(tmp_path: Path) -> None:
    home = str(text_set(tmp_path / "set"))
    raw = fetch(tmp_path / "raw", name=home, text="sentence", splits={"train": "train"})
    assert raw.manifest["split"].tolist() == [""] * 4


def test_sounds_are_stored_undecoded(tmp_path: Path) -> None:
    home = tmp_path / "set"
    home.mkdir()
    clips = [sounds.wav(seed) for seed in range(4)]
    frame = pd.DataFrame(
        {
            "audio": [{"bytes": clip, "path": f"{i}.wav"} for i, clip in enumerate(clips)],
            "label": ["no", "yes"] * 2,
        }
    )
    frame.to_parquet(home / "train.parquet")
    raw = fetch(tmp_path / "raw", name=str(home), audio="audio")
    assert raw.manifest["label"].tolist() == ["no", "yes"] * 2
    assert raw.manifest["n_samples"].unique().tolist() == [2000]
    assert [raw.locate(path).read_bytes() for path in raw.manifest["path"]] == clips


def test_a_folder_of_sounds_needs_no_torchcodec(tmp_path: Path) -> None:
    home = tmp_path / "set"
    for split in ("train", "test"):
        sounds.folder(home / split, groups=1)
    rows = fetch(tmp_path / "raw", name=str(home), audio="audio").manifest
    assert rows[["label", "split"]].to_numpy().tolist() == [
        ["no", "test"],
        ["yes", "test"],
        ["no", "train"],
        ["yes", "train"],
    ]
    with pytest.raises(GatewiseError, match="leave subset and splits out"):
        fetch(tmp_path / "raw", name=str(home), audio="audio", splits={"train": "train"})


def test_a_null_group_is_refused_and_no_group_of_its_own(tmp_path: Path) -> None:
    home = tmp_path / "set"
    home.mkdir()
    frame = pd.DataFrame({"text": ["a", "b"], "label": ["x", "y"], "who": ["ann", None]})
    frame.to_parquet(home / "train.parquet")
    with pytest.raises(GatewiseError, match="row 1: column 'who' is empty"):
        fetch(tmp_path / "raw", name=str(home), text="text", group="who")


def test_mistakes_are_named(tmp_path: Path) -> None:
    home = str(text_set(tmp_path / "set"))
    with pytest.raises(GatewiseError, match=r"no column 'text'.*allowed: sentence, label"):
        fetch(tmp_path / "raw", name=home, text="text")
    with pytest.raises(GatewiseError, match="no split 'dev'"):
        fetch(tmp_path / "raw", name=home, text="sentence", splits={"validation": "dev"})
    with pytest.raises(GatewiseError, match="check the name, the subset and the network"):
        fetch(tmp_path / "raw", name="nobody/nothing-of-the-kind", text="sentence")
    with pytest.raises(ValidationError, match="either text or audio"):
        source_class("hub").model_validate({"kind": "hub", "name": "x"})
