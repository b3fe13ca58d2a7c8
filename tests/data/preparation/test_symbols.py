"""From texts to numbers of their symbols, and what cannot be emitted."""

import numpy as np
import pytest

from gatewise.artifacts.prepared import Targets
from gatewise.data.preparation.certificate import LeakError
from gatewise.errors import GatewiseError
from tests.spoken import make, texts


def test_targets_are_the_numbers_of_the_words(tmp_path):
    said = texts()
    prepared, report = make(tmp_path, said)
    card = prepared.card
    assert card.labels == ["high", "low", "mid"]
    assert card.target.model_dump() == {"kind": "symbols", "outputs": 4, "per_step": True}
    targets, lengths = Targets(prepared).of(np.arange(len(prepared.index)))
    for row, name in enumerate(prepared.index["id"]):
        words = [card.labels[k] for k in targets[row, : lengths[row]]]
        assert " ".join(words) == said[int(name.removesuffix(".wav"))]
        assert not targets[row, lengths[row] :].any()
    assert report.certified
    assert report.certificate["labels"].claim == "every symbol that is asked for occurs in training"
    assert report.certificate["groups"].count == 0


def test_characters_may_be_the_symbols(tmp_path):
    prepared, _ = make(tmp_path, objective={"kind": "transcribe", "unit": "character"})
    assert " " in prepared.card.labels
    assert set("".join(prepared.card.labels)) == set("lowmidhg ")


def test_a_text_longer_than_its_sound_can_say_is_named_or_left_out_without_a_trace(tmp_path):
    said = texts()
    said[40] = "low " * 2
    long = {"kind": "transcribe", "unit": "character"}
    short = {"kind": "log-mel", "sample_rate": 4000, "n_fft": 128, "hop_length": 240, "n_mels": 10}
    with pytest.raises(GatewiseError, match=r"symbols need at least \d+ steps, the sound has \d+"):
        make(tmp_path / "fail", said, objective=long, features=short)
    prepared, report = make(tmp_path / "skip", said, features=short, on_bad="skip", objective=long)
    assert report.unusable.count > 0
    assert len(prepared.index) == len(said) - report.unusable.count
    assert len(prepared.sequences) == prepared.index["length"].sum()
    whole, _ = make(tmp_path / "whole", said, features=short)
    same = whole.index.set_index("id").loc[prepared.index["id"]]
    for (start, length), row in zip(
        prepared.index[["start", "length"]].to_numpy(), same.itertuples(), strict=True
    ):
        np.testing.assert_array_equal(
            prepared.sequences[start : start + length],
            whole.sequences[row.start : row.start + row.length],
        )


def test_a_symbol_that_is_never_trained_on_is_a_leak_of_the_task(tmp_path):
    said = [text.replace("mid", "low") for text in texts()]
    prepared, _ = make(tmp_path / "first", said)
    tested = prepared.index[prepared.index["split"] == "test"]["id"].iloc[0]
    said[int(tested.removesuffix(".wav"))] = "mid"
    with pytest.raises(LeakError, match=r"labels: 1 violations.*'mid'"):
        make(tmp_path / "second", said)
    _, report = make(tmp_path / "third", said, allow={"labels": "known"})
    assert report.certified
