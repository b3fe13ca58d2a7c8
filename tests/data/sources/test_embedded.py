"""digits and reviews, on small archives of the same make."""

import bz2
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gatewise.config import source_class
from gatewise.data import sources
from gatewise.data.sources import _package, digits, reviews


def test_digits_carry_frames_and_speakers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speakers = pd.read_csv(digits.SPEAKERS)
    lengths = np.arange(len(speakers)) % 5 + 6
    frames = np.random.default_rng(0).normal(size=(lengths.sum(), 13)).astype(np.float32)
    buffer = io.BytesIO()
    np.savez(buffer, X=frames, y=speakers["digit"].to_numpy(), lengths=lengths)
    monkeypatch.setattr(_package.Member, "read", lambda _: buffer.getvalue())
    raw = sources.fetch(source_class("digits").model_validate({"kind": "digits"}), tmp_path / "d")
    assert np.array_equal(np.load(raw.folder / "frames.npy"), frames)
    assert raw.manifest["n_samples"].tolist() == lengths.tolist()
    assert raw.manifest["group"].value_counts().tolist() == [500] * 6
    assert raw.manifest["label"].value_counts().tolist() == [300] * 10
    assert raw.manifest["label"][0] == digits.NAMES[speakers["digit"][0]]
    assert raw.card.step_seconds == pytest.approx(0.025)


def test_other_digits_than_the_speakers_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, X=np.zeros((3000, 13)), y=np.zeros(3000), lengths=np.ones(3000, int))
    monkeypatch.setattr(_package.Member, "read", lambda _: buffer.getvalue())
    with pytest.raises(AssertionError, match="does not belong"):
        source_class("digits").model_validate({"kind": "digits"}).fetch(tmp_path)


def test_reviews_drop_plots_repeats_and_contradictions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        ("fresh", "A fine film.", "up"),
        ("plot", "A man goes up.", "up"),
        ("fresh", "a FINE   film!", "up"),
        ("rotten", "Dull", "down"),
        ("fresh", "Dull.", "up"),
        ("rotten", "Tired, and loud", "down"),
    ]
    table = pd.DataFrame(rows, columns=["category", "text", "movie_name"])
    packed = bz2.compress(table.to_csv(index=False).encode())
    monkeypatch.setattr(_package.Member, "read", lambda _: packed)
    raw = sources.fetch(reviews.Source(kind="reviews"), tmp_path / "r")
    assert pd.read_parquet(raw.folder / "documents.parquet")["text"].tolist() == [
        "A fine film.",
        "Tired, and loud",
    ]
    assert raw.manifest["group"].tolist() == ["up", "down"]
    assert raw.manifest["label"].tolist() == ["fresh", "rotten"]
    assert raw.card.skipped == {
        "plot summary": 1,
        "repeated sentence": 1,
        "same sentence under both labels": 2,
    }
