"""CSV that stages leave: what it must hold, and what is said of damage."""

import contextlib
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hardening import damage
from gatewise.artifacts import csv_tables
from gatewise.files import DamagedError

GOOD = "task,epoch,loss\nNA,1,0.1\n1,2,\n"


def read(path: Path) -> pd.DataFrame:
    return csv_tables.read(path, ["task", "epoch"], "run it again", ["task"])


def test_words_stay_words_and_gaps_are_gaps(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(GOOD)
    table = read(path)
    assert table["task"].tolist() == ["NA", "1"]
    assert table["epoch"].tolist() == [1, 2]
    assert table["loss"].isna().tolist() == [False, True]


@settings(deadline=None)
@given(st.floats(allow_nan=False))
def test_numbers_are_those_that_were_written(
    tmp_path_factory: pytest.TempPathFactory, value: float
) -> None:
    path = tmp_path_factory.getbasetemp() / "exact.csv"
    pd.DataFrame({"task": ["a"], "epoch": [1], "loss": [value]}).to_csv(path, index=False)
    assert read(path)["loss"][0] == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column 'task'|damaged"),
        ("task,loss\na,1\n", "no column 'epoch'"),
        ("task,epoch\na,one\n", "words where column 'epoch' has numbers"),
        ("task,epoch,loss\na,1,0.1x\n", "words where column 'loss' has numbers"),
        ("task,epoch\na,\n", "column 'epoch' has a gap"),
        ("task,epoch\na,1,2,3\nb,1\n", "damaged|gap"),
        ("from the future\ntask,epoch\na,1\n", "damaged"),
    ],
)
def test_what_is_wrong_is_named_with_what_mends_it(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(DamagedError, match=rf"x\.csv: (.*{message}).*; run it again"):
        read(path)


@pytest.mark.parametrize("kind", damage.KINDS)
def test_no_damage_ends_in_anything_but_a_sentence(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.csv"
    for seed in range(30):
        damage.whole_again(path, GOOD.encode())
        damage.spoil(path, kind, seed)
        # Anything else would be a traceback; a letter or digit that changed may go unseen.
        with contextlib.suppress(DamagedError):
            assert set(read(path)) >= {"task", "epoch"}
