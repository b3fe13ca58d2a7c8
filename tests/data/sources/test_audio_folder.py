from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import soundfile
from pydantic import ValidationError

from gatewise.artifacts.manifest import Raw
from gatewise.config import source_class
from gatewise.data import sources
from gatewise.errors import GatewiseError
from tests import sounds


def fetch(target: Path, path: Path, **options: Any) -> Raw:
    source = source_class("audio-folder")
    given = {"kind": "audio-folder", "path": str(path), **options}
    return sources.fetch(source.model_validate(given), target)


def test_a_folder_per_label_is_used_in_place(tmp_path: Path) -> None:
    home = sounds.folder(tmp_path / "mine", groups=3)
    (home / "yes" / "notes.txt").write_text("not a sound")
    raw = fetch(tmp_path / "raw", home, group=r"([^/]+)_nohash_", title="Mine")
    assert raw.manifest["id"].tolist() == [
        f"{label}/s{speaker:02d}_nohash_0.wav" for label in ("no", "yes") for speaker in range(3)
    ]
    assert raw.manifest["group"].tolist() == ["s00", "s01", "s02"] * 2
    assert raw.manifest["n_samples"].unique().tolist() == [2000]
    assert raw.card.title == "Mine"
    assert raw.locate(raw.manifest["path"][0]).is_file()
    assert not list((tmp_path / "raw").rglob("*.wav"))


def test_without_a_pattern_equal_files_form_a_group(tmp_path: Path) -> None:
    home = sounds.folder(tmp_path / "mine", groups=3)
    (home / "yes" / "copy.wav").write_bytes((home / "yes" / "s00_nohash_0.wav").read_bytes())
    raw = fetch(tmp_path / "raw", home)
    assert raw.manifest["group"].nunique() == 6


def test_formats_rates_and_channels(tmp_path: Path) -> None:
    home = tmp_path / "mine"
    (home / "a").mkdir(parents=True)
    for suffix, rate, channels in (("flac", 44_100, 2), ("ogg", 48_000, 1), ("mp3", 16_000, 2)):
        soundfile.write(home / "a" / f"x.{suffix}", sounds.noise(1, rate, channels), rate)
    rows = fetch(tmp_path / "raw", home).manifest.set_index("path")
    assert rows["sample_rate"].to_dict() == {
        "a/x.flac": 44_100,
        "a/x.mp3": 16_000,
        "a/x.ogg": 48_000,
    }
    assert rows.loc["a/x.flac", "n_samples"] == 44_100


def test_a_table_names_groups_and_splits(tmp_path: Path) -> None:
    sounds.folder(tmp_path / "mine", groups=2)
    table = pd.DataFrame(
        {
            "path": ["mine/no/s00_nohash_0.wav", "mine/yes/s01_nohash_0.wav"],
            "label": ["n", "y"],
            "group": ["x", "z"],
            "split": ["train", "test"],
        }
    )
    for suffix in ("csv", "parquet"):
        path = tmp_path / f"list.{suffix}"
        table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path)
        listed = fetch(tmp_path / suffix, path).manifest
        assert listed[["path", "label", "group", "split"]].to_dict("list") == table.to_dict("list")


def test_links_are_followed(tmp_path: Path) -> None:
    sounds.folder(tmp_path / "elsewhere", groups=2)
    home = tmp_path / "mine"
    home.mkdir()
    (home / "maybe").symlink_to(tmp_path / "elsewhere" / "no")
    assert set(fetch(tmp_path / "raw", home).manifest["label"]) == {"maybe"}


@pytest.mark.parametrize(
    ("pattern", "message"), [("[", "not a regular"), ("abc", "no bracket that captures")]
)
def test_patterns_that_cannot_find_a_group(pattern: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        source_class("audio-folder").model_validate(
            {"kind": "audio-folder", "path": "x", "group": pattern}
        )


def test_a_file_without_a_group_is_named(tmp_path: Path) -> None:
    home = sounds.folder(tmp_path / "mine", groups=1)
    with pytest.raises(GatewiseError, match=r"no/s00_nohash_0\.wav: the pattern"):
        fetch(tmp_path / "raw", home, group="speaker-(.*)")
