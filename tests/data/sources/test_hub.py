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

COMMIT = "c0ffee" + "0" * 34


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


# --- sets that are stored as single sound files ----------------------------------------------


def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> str:
    """A repository in the hub client's cache, as its download lays it out."""
    import huggingface_hub.constants

    cache = tmp_path / "hub"
    home = cache / "datasets--ann--words"
    for place, (name, content) in enumerate(files.items()):
        blob = home / "blobs" / f"{place:040d}"
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(content)
        link = home / "snapshots" / COMMIT / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blob)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    return "ann/words"


@pytest.mark.parametrize("table", ["metadata.csv", "metadata.jsonl"])
def test_a_repository_of_single_sounds_with_metadata(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    rows = [("train/a.wav", "up", "ann"), ("train/b.wav", "go", "bob"), ("test/a.wav", "up", "eve")]
    frame = pd.DataFrame(rows, columns=["file_name", "word", "speaker"])
    text = (
        frame.to_csv(index=False)
        if table.endswith("csv")
        else frame.to_json(orient="records", lines=True)
    )
    clips = {row[0]: sounds.wav(place) for place, row in enumerate(rows)}
    name = cached(tmp_path, monkeypatch, {**clips, table: text.encode(), "README.md": b"# Words"})
    raw = fetch(tmp_path / "raw", name=name, audio="audio", label="word", group="speaker")
    listed = raw.manifest[["id", "label", "group", "split"]].to_numpy().tolist()
    assert listed == [[*row, row[0].split("/")[0]] for row in rows]
    assert raw.manifest["n_samples"].unique().tolist() == [2000]
    # The cache may be emptied: the sounds are in the raw folder.
    assert raw.card.root is None
    assert [raw.locate(path).read_bytes() for path in raw.manifest["path"]] == list(clips.values())
    assert not any(raw.locate(path).is_symlink() for path in raw.manifest["path"])
    assert raw.card.homepage == "https://huggingface.co/datasets/ann/words"


def test_a_repository_of_folders_of_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        f"{split}/{label}/x.flac": sounds.encoded(sounds.noise(place), fmt="FLAC")
        for place, (split, label) in enumerate((s, x) for s in ("train", "test") for x in "ab")
    }
    name = cached(tmp_path, monkeypatch, files)
    rows = fetch(tmp_path / "raw", name=name, audio="audio").manifest
    assert sorted(zip(rows["label"], rows["split"], strict=True)) == [
        ("a", "test"),
        ("a", "train"),
        ("b", "test"),
        ("b", "train"),
    ]
    assert "4 sounds from its cache" in capsys.readouterr().err
    with pytest.raises(GatewiseError, match="leave subset and splits out"):
        fetch(tmp_path / "other", name=name, audio="audio", subset="clean")


def test_a_repository_that_names_files_of_this_machine_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "private.wav").write_bytes(sounds.wav())
    for path in (str(tmp_path / "private.wav"), "../../../../private.wav"):
        table = f"file_name,label\n{path},up\n".encode()
        place = tmp_path / str(len(path))
        name = cached(place, monkeypatch, {"a.wav": sounds.wav(), "metadata.csv": table})
        with pytest.raises(GatewiseError, match="lies outside of the set"):
            fetch(place / "raw", name=name, audio="audio")


def test_what_is_listed_on_the_hub_decides_who_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    from gatewise.data.sources import _repository

    name = cached(tmp_path, monkeypatch, {"up/a.wav": sounds.wav(1), "go/b.wav": sounds.wav(2)})
    for names, taken in (
        (["up/a.wav", "go/b.wav", "README.md"], True),
        (["data/train-00000-of-00001.parquet", "example.wav"], False),
        (["data/train.tar.gz", "example.wav"], False),
        (["up/a.wav", "metadata.parquet"], True),
        (["train.csv"], False),
    ):
        siblings = [huggingface_hub.hf_api.RepoSibling(rfilename=path) for path in names]
        info = huggingface_hub.hf_api.DatasetInfo(id=name, siblings=[])
        info.siblings, info.sha = siblings, COMMIT
        monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", lambda *_, info=info, **__: info)
        assert (_repository.sounds(name, None) is not None) is taken, names
