from pathlib import Path

import pandas as pd
import pytest

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import Raw, SourceCard
from gatewise.errors import GatewiseError

CARD = SourceCard(payload="text", title="things", licence="none")


def table(**changes: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "id": ["a", "b"],
            "path": "",
            "label": ["x", "y"],
            "group": ["g", "h"],
            "split": "",
            "n_samples": [1, 2],
            "sample_rate": 0,
            "sha256": "0" * 64,
        }
    )
    return frame.assign(**changes)


def test_round_trip(tmp_path: Path) -> None:
    manifest.write(tmp_path, CARD, table())
    raw = Raw.open(tmp_path)
    assert raw.card == CARD
    assert raw.manifest.to_dict("list") == table().to_dict("list")
    assert raw.locate("a.wav") == tmp_path / "a.wav"


def test_files_used_in_place_lie_below_root_and_own_files_in_the_folder(tmp_path: Path) -> None:
    card = CARD.model_copy(update={"root": "elsewhere"})
    manifest.write(tmp_path, card, table())
    (tmp_path / "own.wav").touch()
    raw = Raw.open(tmp_path)
    assert raw.locate("a.wav") == Path("elsewhere/a.wav")
    assert raw.locate("own.wav") == tmp_path / "own.wav"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": ["a", "a"]}, "column 'id': 'a'"),
        ({"label": ["x", ""]}, "row 1, column 'label': '' fails is empty"),
        ({"split": ["train", "dev"]}, "row 1, column 'split': 'dev'"),
        ({"n_samples": [1, -2]}, "row 1, column 'n_samples': -2"),
        ({"sha256": ["0" * 64, "zz"]}, "row 1, column 'sha256': 'zz'"),
        ({"speaker": "s"}, "column 'speaker' is not known"),
    ],
)
def test_broken_manifests_name_column_and_row(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    table(**changes).to_parquet(tmp_path / manifest.MANIFEST)
    (tmp_path / manifest.CARD).write_text(CARD.model_dump_json())
    with pytest.raises(GatewiseError, match=message) as info:
        Raw.open(tmp_path)
    assert str(tmp_path) in str(info.value)


def test_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(GatewiseError, match="column 'group' is missing"):
        manifest.write(tmp_path, CARD, table().drop(columns="group"))


def test_no_examples_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GatewiseError, match="no example at all"):
        manifest.write(tmp_path, CARD, [])


def test_missing_folder_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(GatewiseError, match="dvc repro fetch"):
        Raw.open(tmp_path / "nothing")


def test_same_text_is_same_whatever_its_case_and_punctuation() -> None:
    assert manifest.normalised(" A  Fine, film! ") == manifest.normalised("a fine film")
    assert manifest.normalised("?!") == "?!"
