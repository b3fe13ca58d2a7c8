from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gatewise.artifacts import splits
from gatewise.config import SplitConfig, TaskConfig
from gatewise.data import sources
from gatewise.data.preparation import joined_groups, near_duplicates
from gatewise.data.preparation.build import prepare
from gatewise.data.preparation.certificate import LeakError

SPLIT = SplitConfig(validation=0.2, test=0.3)


def documents(count: int = 60) -> list[str]:
    """Pairs of sentences that differ in one letter, unlike all others."""
    draw = np.random.default_rng(0)
    sentences = [
        " ".join("".join(map(chr, draw.integers(97, 123, 6))) for _ in range(9))
        for _ in range(count // 2)
    ]
    return [text for sentence in sentences for text in (sentence, sentence + "s")]


def divide(
    texts: list[str], groups: list[str], published: list[str] | None = None
) -> joined_groups.Division:
    keys = near_duplicates.band_keys(texts)
    usable = np.ones(len(texts), dtype=bool)
    published = published or [""] * len(texts)
    return joined_groups.divide(published, groups, SPLIT, keys, usable, texts.__getitem__)


def crossing(texts: list[str], split: np.ndarray) -> int:
    keys = near_duplicates.band_keys(texts)
    return len(near_duplicates.crossing(keys, split, texts.__getitem__))


def test_near_duplicates_stay_together_where_the_split_is_ours(
    capsys: pytest.CaptureFixture[str],
) -> None:
    texts = documents()
    groups = [f"g{place}" for place in range(len(texts))]
    assert crossing(texts, splits.assign(groups, SPLIT)) > 5
    division = divide(texts, groups)
    assert crossing(texts, division.split) == 0
    assert set(division.split) == {"train", "validation", "test"}
    assert division.joined == len(texts) - len(set(division.groups))
    assert f"{division.joined} groups were joined" in capsys.readouterr().err
    # Groups that the split did not tear apart keep their names, and with it their place.
    untouched = np.isin(division.groups, groups)
    assert untouched.all()
    same = division.groups == np.array(groups)
    assert (splits.assign(groups, SPLIT)[same] == division.split[same]).all()


def test_without_any_that_cross_nothing_changes() -> None:
    texts = documents()[::2]
    groups = [f"g{place}" for place in range(len(texts))]
    division = divide(texts, groups)
    assert division.joined == 0
    assert division.groups.tolist() == groups
    assert (division.split == splits.assign(groups, SPLIT)).all()


def test_a_published_split_is_left_as_it_is() -> None:
    texts = documents()
    groups = [f"g{place}" for place in range(len(texts))]
    published = [["train", "test"][place % 2] for place in range(len(texts))]
    division = divide(texts, groups, published)
    # Validation is ours to cut from training, the test split is not.
    assert ((division.split == "test") == (np.array(published) == "test")).all()
    assert crossing(texts, division.split) == len(texts) // 2


def test_texts_that_are_all_alike_are_not_joined_into_one() -> None:
    texts = [f"the very same sentence with number {place} at its end" for place in range(40)]
    division = divide(texts, [f"g{place}" for place in range(40)])
    assert division.joined == 0
    assert crossing(texts, division.split) > 0


def table(tmp_path: Path, texts: list[str], **columns: list[str]) -> TaskConfig:
    labels = [["a", "b"][place // 2 % 2] for place in range(len(texts))]
    frame = pd.DataFrame({"text": texts, "label": labels, **columns})
    frame.to_csv(tmp_path / "texts.csv", index=False)
    source = {"kind": "text-file", "path": str(tmp_path / "texts.csv")}
    return TaskConfig.model_validate(
        {
            "source": source | ({"split": "split"} if columns else {}),
            "features": {"kind": "tokens", "min_frequency": 1},
            "split": SPLIT.model_dump(),
        }
    )


def test_the_certificate_says_that_groups_were_joined(tmp_path: Path) -> None:
    config = table(tmp_path, documents())
    sources.fetch(config.source, tmp_path / "raw")
    prepared, report = prepare("mine", config, tmp_path / "raw", tmp_path / "prepared")
    check = report.certificate["near-duplicates"]
    assert check.count == 0
    assert check.how is not None
    assert "groups with nearly the same texts were joined" in check.how
    assert report.groups == prepared.index["group"].nunique() < 60


def test_published_splits_that_separate_them_are_refused(tmp_path: Path) -> None:
    parts = ["train", "test", "train", "validation"] * 15
    config = table(tmp_path, documents(), split=parts)
    sources.fetch(config.source, tmp_path / "raw")
    with pytest.raises(LeakError, match="near-duplicates: 30 violations"):
        prepare("mine", config, tmp_path / "raw", tmp_path / "prepared")
