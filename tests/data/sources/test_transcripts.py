"""Tables of sounds with texts, and the folders that people have."""

import pandas as pd
import pytest
import soundfile

from gatewise.config import source_class
from gatewise.data import sources
from gatewise.errors import GatewiseError
from tests.spoken import RATE, sound, write_table


def fetch(tmp_path, path, **options):
    settings = {"kind": "transcripts", "path": str(path), **options}
    return sources.fetch(source_class("transcripts").model_validate(settings), tmp_path / "raw")


@pytest.mark.parametrize("column", ["text", "transcription", "sentence"])
def test_tables_under_the_usual_names(tmp_path, column):
    table = write_table(tmp_path / "own", ["low high", "mid"], column)
    raw = fetch(tmp_path, table)
    assert raw.manifest["label"].tolist() == ["low high", "mid"]
    assert raw.card.payload == "audio"


def test_texts_are_cleaned_and_groups_and_splits_taken(tmp_path):
    more = {"group": ["ann", "bob"], "split": ["train", "test"]}
    table = write_table(tmp_path / "own", ["low high", "mid"], **more)
    frame = pd.read_csv(table).assign(text=["  LOW   high ", "Mid"])
    frame.to_csv(table, index=False)
    raw = fetch(tmp_path, table)
    assert raw.manifest["label"].tolist() == ["low high", "mid"]
    assert raw.manifest["group"].tolist() == ["ann", "bob"]
    assert raw.manifest["split"].tolist() == ["train", "test"]
    kept = source_class("transcripts").model_validate(
        {"kind": "transcripts", "path": str(table), "lowercase": False}
    )
    assert [one.label for one in kept._sounds()] == ["LOW high", "Mid"]


def test_ljspeech_and_hugging_face_folders(tmp_path):
    (tmp_path / "lj" / "wavs").mkdir(parents=True)
    for name in ("LJ001-0001", "LJ001-0002"):
        soundfile.write(tmp_path / "lj" / "wavs" / f"{name}.wav", sound("low"), RATE)
    lines = ['LJ001-0001|Chapter "1|chapter one', "LJ001-0002|No. 2|number two"]
    (tmp_path / "lj" / "metadata.csv").write_text("\n".join(lines) + "\n")
    raw = fetch(tmp_path, tmp_path / "lj")
    assert raw.manifest["label"].tolist() == ["chapter one", "number two"]

    (tmp_path / "hf").mkdir()
    soundfile.write(tmp_path / "hf" / "a.wav", sound("low"), RATE)
    (tmp_path / "hf" / "metadata.csv").write_text("file_name,transcription\na.wav,low\n")
    (tmp_path / "other").mkdir()
    raw = fetch(tmp_path / "other", tmp_path / "hf")
    assert raw.manifest[["path", "label"]].to_numpy().tolist() == [["a.wav", "low"]]


def test_what_lacks_a_text_is_named(tmp_path):
    table = write_table(tmp_path / "own", ["low", "", "mid"])
    with pytest.raises(GatewiseError, match=r"table.csv, row 2: column 'text' is empty"):
        fetch(tmp_path, table)
    with pytest.raises(GatewiseError, match="no column 'said'"):
        fetch(tmp_path, table, columns={"text": "said"})
    with pytest.raises(GatewiseError, match=r"no metadata\.csv in it"):
        fetch(tmp_path, tmp_path)
    with pytest.raises(GatewiseError, match="no such table or folder"):
        fetch(tmp_path, tmp_path / "nowhere.csv")
