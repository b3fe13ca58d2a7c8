"""`pronounce`, on a small dictionary of the same make."""

import pandas as pd
import pytest

from gatewise.config import source_class
from gatewise.data import sources
from gatewise.data.sources import _package
from gatewise.data.sources._stems import stem

DICTIONARY = """\
'bout B AW1 T
a AH0
a(2) EY1
a.m. EY2 EH1 M
record R AH0 K AO1 R D
record(2) R EH1 K ER0 D
record(3) R IH0 K AO1 R D
recorded R IH0 K AO1 R D AH0 D
aalto AA1 L T OW2 # name, finnish
tear T EH1 R
tear(2) T EH2 R
tear(3) T IH1 R
walk's W AO1 K S
"""


def fetch(tmp_path, monkeypatch, text=DICTIONARY, **options):
    monkeypatch.setattr(_package.Member, "read", lambda _: text.encode())
    source = source_class("pronounce").model_validate({"kind": "pronounce", **options})
    return sources.fetch(source, tmp_path / "raw")


def test_words_have_all_their_pronunciations_without_stress(tmp_path, monkeypatch):
    raw = fetch(tmp_path, monkeypatch)
    said = raw.manifest.set_index("id")["label"]
    assert said.to_dict() == {
        "a": "AH\nEY",
        "record": "R AH K AO R D\nR EH K ER D\nR IH K AO R D",
        "recorded": "R IH K AO R D AH D",
        "aalto": "AA L T OW",
        "tear": "T EH R\nT IH R",
        "walk's": "W AO K S",
    }
    assert pd.read_parquet(raw.folder / "documents.parquet")["text"].tolist() == list(said.index)
    assert raw.card.skipped == {"other characters than letters": 2}
    groups = raw.manifest.set_index("id")["group"]
    assert groups["record"] == groups["recorded"] != groups["tear"]


def test_some_words_are_drawn_by_seed(tmp_path, monkeypatch):
    text = "\n".join(f"w{chr(97 + a)}{chr(97 + b)} W" for a in range(20) for b in range(20))
    drawn = [
        fetch(tmp_path / name, monkeypatch, text, words=50, seed=seed).manifest["id"].tolist()
        for name, seed in (("one", 0), ("again", 0), ("other", 1))
    ]
    assert len(drawn[0]) == 50
    assert drawn[0] == drawn[1] != drawn[2]
    assert drawn[0] == sorted(drawn[0]), "in the dictionary's order"
    assert len(fetch(tmp_path / "all", monkeypatch, text, words=None).manifest) == 400


@pytest.mark.parametrize(
    "family",
    [
        ("walk", "walks", "walked", "walking", "walker's"),
        ("hop", "hopped", "hopping", "hops"),
        ("abandon", "abandons", "abandonment", "abandonments"),
        ("happy", "happier", "happiest", "happily", "happiness"),
        ("city", "cities", "city's"),
        ("recycle", "recyclers", "recyclable", "recycling"),
    ],
)
def test_stems_hold_families_together(family):
    assert len({stem(word) for word in family}) == 1


def test_stems_keep_words_apart():
    words = ("walk", "talk", "record", "abandon", "nation", "is", "as", "a", "cat")
    assert len({stem(word) for word in words}) == len(words)
    assert all(stem(word) for word in words)
