from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import soundfile

from gatewise.artifacts.manifest import Raw
from gatewise.config import source_class
from gatewise.data import sources
from gatewise.errors import GatewiseError
from tests import sounds

REAL = Path(__file__).parents[4] / "shared" / "data"
WORDS = ["yes", "no", "cat", "tree", "bed"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """25 speakers say five words; speakers 20-22 validate, 23-24 test."""
    root = tmp_path_factory.mktemp("sc")
    home = root / "SpeechCommands" / "speech_commands_v0.02"
    listed: dict[str, list[str]] = {"validation": [], "testing": []}
    for place, word in enumerate(WORDS):
        (home / word).mkdir(parents=True)
        for speaker in range(25):
            name = f"{word}/{speaker:08x}_nohash_0.wav"
            (home / name).write_bytes(sounds.wav(place * 100 + speaker, rate=16_000))
            if speaker >= 20:
                listed["validation" if speaker < 23 else "testing"].append(name)
    for subset, names in listed.items():
        (home / f"{subset}_list.txt").write_text("\n".join(names) + "\n")
    (home / "_background_noise_").mkdir()
    for place in range(2):
        path = home / "_background_noise_" / f"noise{place}.wav"
        soundfile.write(path, sounds.noise(place, 16_000 * 20), 16_000, subtype="PCM_16")
    return root


def fetch(target: Path, root: Path, protocol: str, **options: Any) -> Raw:
    given = {"kind": "speech-commands", "root": str(root), "protocol": protocol, **options}
    return sources.fetch(source_class("speech-commands").model_validate(given), target)


def counts(raw: Raw) -> dict[str, Counter[str]]:
    return {str(split): Counter(rows["label"]) for split, rows in raw.manifest.groupby("split")}


def test_all_words_with_the_published_lists(tmp_path: Path, root: Path) -> None:
    raw = fetch(tmp_path / "raw", root, "35-words")
    assert counts(raw) == {
        "train": Counter(dict.fromkeys(WORDS, 20)),
        "validation": Counter(dict.fromkeys(WORDS, 3)),
        "test": Counter(dict.fromkeys(WORDS, 2)),
    }
    assert raw.manifest.groupby("group")["split"].nunique().max() == 1
    assert not list((tmp_path / "raw").rglob("*.wav"))
    assert raw.locate(raw.manifest["path"][0]).is_file()


def test_ten_words_leave_the_others_out(tmp_path: Path, root: Path) -> None:
    raw = fetch(tmp_path / "raw", root, "10-words")
    assert set(raw.manifest["label"]) == {"yes", "no"}


def test_twelve_classes_add_a_tenth_of_unknown_words_and_of_silence(
    tmp_path: Path, root: Path
) -> None:
    raw = fetch(tmp_path / "raw", root, "12-classes")
    clips = counts(raw)
    assert clips["train"] == {"yes": 20, "no": 20, "_unknown_": 4, "_silence_": 4}
    assert clips["validation"] == {"yes": 3, "no": 3, "_unknown_": 1, "_silence_": 1}
    assert clips["test"] == {"yes": 2, "no": 2, "_unknown_": 1, "_silence_": 1}
    unknown = raw.manifest[raw.manifest["label"] == "_unknown_"]["path"].str.split("/").str[0]
    assert set(unknown) <= {"cat", "tree", "bed"}
    assert raw.manifest["sha256"].is_unique
    again = fetch(tmp_path / "again", root, "12-classes")
    assert raw.manifest.equals(again.manifest)


def test_silence_comes_from_the_splits_own_stretch_of_noise(tmp_path: Path, root: Path) -> None:
    raw = fetch(tmp_path / "raw", root, "12-classes")
    home = root / "SpeechCommands" / "speech_commands_v0.02" / "_background_noise_"
    places: dict[str, list[float]] = {}
    for row in raw.manifest[raw.manifest["label"] == "_silence_"].itertuples():
        noise, _ = soundfile.read(home / f"{row.group.split('-')[0]}.wav", dtype="int16")
        piece, rate = soundfile.read(raw.locate(row.path), dtype="int16")
        assert (len(piece), rate) == (16_000, 16_000)
        key = piece[:8].tobytes()
        starts = [i for i in range(len(noise) - 16_000 + 1) if noise[i : i + 8].tobytes() == key]
        places.setdefault(row.split, []).extend(start / len(noise) for start in starts)
    assert all(0 <= place <= 0.65 for place in places["train"])
    assert all(0.7 <= place <= 0.8 for place in places["validation"])
    assert all(0.85 <= place <= 0.95 for place in places["test"])


def test_mistakes_say_what_to_do(tmp_path: Path, root: Path) -> None:
    with pytest.raises(GatewiseError, match="root must hold SpeechCommands/"):
        fetch(tmp_path / "raw", tmp_path, "35-words")
    with pytest.raises(GatewiseError, match=r"speech_commands_v0\.01: no such folder"):
        fetch(tmp_path / "raw", root, "35-words", version="v0.01")
    home = tmp_path / "SpeechCommands" / "speech_commands_v0.02" / "yes"
    home.mkdir(parents=True)
    with pytest.raises(GatewiseError, match=r"validation_list.txt: missing|testing_list.txt"):
        fetch(tmp_path / "raw", tmp_path, "35-words")
    (home.parent / "validation_list.txt").write_text("")
    (home.parent / "testing_list.txt").write_text("yes/0_nohash_0.wav\n")
    with pytest.raises(
        GatewiseError, match=r"0_nohash_0\.wav: no such file, although testing_list\.txt names it"
    ):
        fetch(tmp_path / "raw", tmp_path, "35-words")


@pytest.mark.skipif(not (REAL / "SpeechCommands").is_dir(), reason="no real recordings here")
def test_real_recordings(tmp_path: Path) -> None:
    raw = fetch(tmp_path / "raw", REAL, "35-words", version="v0.01")
    assert len(raw.manifest) == 1801
    speakers = raw.manifest.groupby("split")["group"].nunique().to_dict()
    assert speakers == {"train": 123, "validation": 25, "test": 26}
    assert raw.manifest["label"].nunique() == 9
    with pytest.raises(GatewiseError, match="no noise to cut silence from"):
        fetch(tmp_path / "twelve", REAL, "12-classes", version="v0.01")
    assert isinstance(raw.manifest, pd.DataFrame)
