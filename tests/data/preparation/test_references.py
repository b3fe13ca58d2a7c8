"""From texts to the numbers of their symbols, those of training alone."""

import numpy as np
import pytest

from gatewise.artifacts.objectives.base import OTHERWISE, UNHEARD
from gatewise.artifacts.prepared import Targets
from gatewise.errors import GatewiseError
from tests.translated import SPLITS, WORDS, make, pairs

TRAIN, TEST = 0, SPLITS.index("test")


def rows(prepared):
    """Targets by id, without padding."""
    values, lengths = Targets(prepared).of(np.arange(len(prepared.index)))
    own = (row[:length].tolist() for row, length in zip(values, lengths, strict=True))
    return dict(zip(prepared.index["id"], own, strict=True))


def test_targets_are_the_numbers_of_the_words(tmp_path):
    said = pairs()
    prepared, report = make(tmp_path, said)
    card = prepared.card
    assert card.labels == sorted(WORDS)
    assert card.target.model_dump() == {"kind": "tokens", "outputs": 11, "per_step": False}
    for name, row in rows(prepared).items():
        assert " ".join(card.labels[k] for k in row) == said[int(name)][1]
    assert report.certified
    assert report.unheard_share == report.repeated_share == 0
    claim = report.certificate["labels"]
    assert claim.claim == "every symbol that can be said comes from training texts"
    assert claim.count == 0


def test_alternatives_lie_behind_each_other_each_once(tmp_path):
    said = pairs()
    said[TRAIN] = said[TRAIN][0], "one two\nthree\none  two"
    prepared, _ = make(tmp_path, said)
    one, two, three = (prepared.card.labels.index(name) for name in ("one", "two", "three"))
    assert rows(prepared)[f"{TRAIN}"] == [one, two, OTHERWISE, three]


def test_what_training_never_says_has_no_number_and_is_reported(tmp_path):
    said = pairs()
    said[TEST] = said[TEST][0], "one zillion"
    prepared, report = make(tmp_path, said)
    assert "zillion" not in prepared.card.labels
    assert rows(prepared)[f"{TEST}"] == [prepared.card.labels.index("one"), UNHEARD]
    outside = [k for k in range(len(said)) if SPLITS[k % len(SPLITS)] != "train"]
    symbols = sum(len(said[k][1].split()) for k in outside)
    assert report.unheard_share == pytest.approx(1 / symbols, abs=1e-5)
    assert "cannot be said" in report.certificate["labels"].how
    assert report.certified


def test_texts_that_training_has_whole_are_counted(tmp_path):
    said = pairs()
    said[TEST] = said[TEST][0], f"seven seven\n{said[TRAIN][1]}"
    _, report = make(tmp_path, said)
    assert report.repeated_share == pytest.approx(1 / (len(said) / 4), abs=1e-5)


def test_rare_symbols_and_those_beyond_the_vocabulary_cannot_be_said(tmp_path):
    said = pairs()
    said[TRAIN] = said[TRAIN][0], "rare one"
    rare, _ = make(tmp_path / "rare", said, objective={"kind": "generate", "min_frequency": 2})
    assert "rare" not in rare.card.labels
    assert rows(rare)[f"{TRAIN}"][0] == UNHEARD
    few, report = make(tmp_path / "few", said, objective={"kind": "generate", "vocabulary": 4})
    counts = dict.fromkeys(WORDS, 0)
    for k, (_, text) in enumerate(said):
        if SPLITS[k % len(SPLITS)] == "train":
            for word in set(text.split()) & counts.keys():
                counts[word] += 1
    assert set(few.card.labels) == set(sorted(counts, key=lambda w: (-counts[w], w))[:4])
    assert report.unheard_share > 0.3
    with pytest.raises(GatewiseError, match=r"occurs 999 times .* lower objective\.min_freq"):
        make(tmp_path / "none", said, objective={"kind": "generate", "min_frequency": 999})


def test_characters_may_be_the_symbols(tmp_path):
    prepared, _ = make(tmp_path, objective={"kind": "generate", "unit": "character"})
    assert set(prepared.card.labels) == {*"".join(WORDS), " "}


@pytest.mark.parametrize(
    ("label", "why"),
    [
        (" ", "its text is empty"),
        ("one\n\ntwo", r"the 2\. of its 3 texts is empty; take the empty line out"),
        ("one " * 1_001, "its text has 1001 symbols; at most 1,000 are generated"),
    ],
)
def test_a_text_that_cannot_be_learnt_is_named_or_left_out_without_a_trace(tmp_path, label, why):
    said = pairs()
    said[TEST] = said[TEST][0], label
    with pytest.raises(GatewiseError, match=f"{TEST}: {why}"):
        make(tmp_path / "fail", said)
    prepared, report = make(tmp_path / "skip", said, on_bad="skip")
    assert report.unusable.count == 1
    assert f"{TEST}" not in set(prepared.index["id"])
    assert len(prepared.sequences) == prepared.index["length"].sum()
    assert len(prepared.targets) == prepared.index["target_length"].sum()


def test_a_missing_reference_is_refused_with_its_row(tmp_path):
    said = pairs()
    said[3] = said[3][0], ""
    with pytest.raises(GatewiseError, match="row 3, column 'label': '' fails is empty"):
        make(tmp_path, said)


def test_copies_across_splits_leak_as_those_of_texts_do(tmp_path):
    from gatewise.data.preparation.certificate import LeakError

    said = pairs()
    said[TEST] = said[TRAIN][0], "nine nine"
    with pytest.raises(LeakError, match=f"{TEST}"):
        make(tmp_path, said)
