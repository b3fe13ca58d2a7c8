from pathlib import Path

import numpy as np
import pytest
import soundfile
from pydantic import ValidationError

from gatewise.artifacts import splits
from gatewise.artifacts.manifest import Raw
from gatewise.config import TaskConfig, source_class
from gatewise.data import sources
from gatewise.files import sha256


def fetch(target: Path, **options: object) -> Raw:
    source = source_class("synthetic-commands")
    return sources.fetch(source.model_validate({"kind": "synthetic-commands", **options}), target)


def test_clips_are_spoken_and_the_bytes_repeat(tmp_path: Path) -> None:
    options = {"voices": 3, "words": ("yes", "no")}
    first, again = (fetch(tmp_path / name, **options) for name in "ab")
    assert first.manifest.equals(again.manifest)
    assert len(first.manifest) == 6
    assert first.card.synthetic
    assert "synthetic speech" in first.card.title
    for row in first.manifest.itertuples():
        path = first.folder / row.path
        samples, rate = soundfile.read(path)
        assert (len(samples), rate) == (row.n_samples, 16_000)
        assert sha256(path) == row.sha256
        assert np.abs(samples).max() > 0.05
        assert 0.1 < len(samples) / rate < 1.2


def test_a_timbre_sounds_the_same_whoever_speaks_beside_it(tmp_path: Path) -> None:
    # espeak-ng carries settings over from voice to voice inside one process.
    alone = fetch(tmp_path / "a", voices=2, words=("yes", "no")).manifest
    among = fetch(tmp_path / "b", voices=5, words=("yes", "no")).manifest
    assert alone.equals(among.head(len(alone)))
    assert among["sha256"].is_unique


def test_group_is_the_timbre_under_every_accent(tmp_path: Path) -> None:
    voices = 104 + 2
    manifest = fetch(tmp_path / "a", voices=voices, words=("up", "go")).manifest
    assert manifest["group"].nunique() == 104
    sizes = manifest["group"].value_counts()
    assert sizes.iloc[:2].tolist() == [4, 4]
    assert sizes.iloc[2] == 2
    accents = manifest[manifest["group"] == sizes.index[0]]["id"].str.split(".").str[1]
    assert accents.nunique() == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"voices": 833}, "at most 832"),
        ({"rate": (200, 100)}, "must rise within 80 to 450"),
        ({"words": ("yes",)}, "at least two"),
        ({"voice": 3}, "did you mean voices"),
    ],
)
def test_options_that_cannot_be_spoken_are_refused(
    options: dict[str, object], message: str
) -> None:
    source = source_class("synthetic-commands")
    with pytest.raises(ValidationError, match=message):
        source.model_validate({"kind": "synthetic-commands", **options})


def test_voices_of_the_test_split_may_say_more_and_the_others_stay_as_they_are(tmp_path: Path):
    few = {"words": ("yes", "no"), "voices": 12}
    plain = fetch(tmp_path / "a", **few).manifest
    more = fetch(tmp_path / "b", **few, test_takes=3, test_share=0.3).manifest
    tests = {group for group in plain["group"] if splits.position(group) < 0.3}
    assert 0 < len(tests) < plain["group"].nunique()
    assert more["group"].isin(tests).sum() == 3 * plain["group"].isin(tests).sum()
    others = [frame[~frame["group"].isin(tests)][["id", "sha256"]] for frame in (plain, more)]
    assert others[0].to_numpy().tolist() == others[1].to_numpy().tolist()


def test_who_tests_must_be_who_the_split_says():
    raw = {
        "source": {"kind": "synthetic-commands", "test_takes": 2},
        "features": {"kind": "log-mel"},
        "split": {"test": 0.3},
    }
    with pytest.raises(
        ValidationError, match=r"test_share \(0.2\) .* must equal split.test \(0.3\)"
    ):
        TaskConfig.model_validate(raw)
    raw["source"]["test_share"] = 0.3
    assert TaskConfig.model_validate(raw).source.test_takes == 2
