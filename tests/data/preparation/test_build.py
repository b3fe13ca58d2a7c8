from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
import torchaudio
from tokenizers import Tokenizer

from gatewise.artifacts import manifest
from gatewise.artifacts.data_report import DataReport
from gatewise.artifacts.manifest import Example, SourceCard
from gatewise.artifacts.prepared import Prepared
from gatewise.config import TaskConfig
from gatewise.data.preparation.build import prepare
from gatewise.errors import GatewiseError
from gatewise.files import sha256

SPLIT = {"validation": 0.25, "test": 0.25}
LOG_MEL = {"kind": "log-mel", "sample_rate": 8000, "n_fft": 256, "hop_length": 128, "n_mels": 20}


def row(name: str, place: int, **more: Any) -> Example:
    default = Example(
        id=name,
        label=["no", "yes"][place // 12 % 2],
        group=f"speaker-{place % 12}",
        n_samples=0,
        sha256=manifest.text_sha256(name),
    )
    return replace(default, **more)


def audio(folder: Path, clips: int = 150) -> Path:
    folder.mkdir()
    rows = []
    for place in range(clips):
        draw = np.random.default_rng(place)
        length, rate = int(draw.integers(1000, 6000)), [8000, 16000][place % 3 == 0]
        path = folder / f"{place}.wav"
        soundfile.write(path, draw.normal(0, 0.1, length), rate, subtype="PCM_16")
        more = {"n_samples": length, "sample_rate": rate, "sha256": sha256(path)}
        rows.append(row(f"clip-{place}", place, path=path.name, **more))
    manifest.write(folder, SourceCard(payload="audio", title="noise", licence="none"), rows)
    return folder


def text(folder: Path, documents: list[str]) -> Path:
    folder.mkdir()
    rows = [row(f"doc-{i}", i, sha256=manifest.text_sha256(d)) for i, d in enumerate(documents)]
    frame = pd.DataFrame({"id": [r.id for r in rows], "text": documents})
    frame.to_parquet(folder / manifest.DOCUMENTS)
    manifest.write(folder, SourceCard(payload="text", title="words", licence="none"), rows)
    return folder


def name(number: int) -> str:
    """A word of its own for each number, unlike the others."""
    return manifest.text_sha256(str(number))[:12]


def task(source: str, features: dict[str, Any], **more: Any) -> TaskConfig:
    settings = {"source": {"kind": source}, "split": SPLIT, "features": features, **more}
    return TaskConfig.model_validate(settings)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path) for path in sorted(folder.iterdir())}


def same(folder: Path, other: Path) -> bool:
    return contents(folder) == contents(other)


@pytest.mark.parametrize("seconds", [None, 0.4])
def test_audio_is_the_same_for_any_number_of_workers(tmp_path: Path, seconds: float | None) -> None:
    raw = audio(tmp_path / "raw")
    config = task("synthetic-commands", {**LOG_MEL, "seconds": seconds})
    one, report = prepare("noise", config, raw, tmp_path / "one", workers=1)
    four, again = prepare("noise", config, raw, tmp_path / "four", workers=4)
    assert same(tmp_path / "one", tmp_path / "four")
    assert report == again
    assert one.card.digest == four.card.digest


def test_audio_is_what_torchaudio_computes(tmp_path: Path) -> None:
    raw = audio(tmp_path / "raw", clips=30)
    prepared, _ = prepare("noise", task("synthetic-commands", LOG_MEL), raw, tmp_path / "out")
    mel = torchaudio.transforms.MelSpectrogram(8000, n_fft=256, hop_length=128, n_mels=20)
    for place in (1, 2, 29):
        samples, rate = soundfile.read(raw / f"{place}.wav", dtype="float32")
        assert rate == 8000
        wanted = np.log(mel(torch.from_numpy(samples)).numpy().T + 1e-6)
        where = prepared.index.iloc[place]
        sequence = prepared.sequences[where["start"] : where["start"] + where["length"]]
        np.testing.assert_allclose(sequence, wanted, atol=1e-4)


def test_prepared_task_opens_and_says_what_it_is(tmp_path: Path) -> None:
    config = task("synthetic-commands", {**LOG_MEL, "seconds": 0.4})
    _, report = prepare("noise", config, audio(tmp_path / "raw"), tmp_path / "out")
    prepared = Prepared.open(tmp_path / "out")
    assert prepared.card.labels == ["no", "yes"]
    assert prepared.card.features == 20
    assert prepared.card.step_seconds == pytest.approx(0.016)
    assert prepared.sequences.dtype == np.float32
    assert prepared.index["length"].unique().tolist() == [1 + 3200 // 128]
    by_group = prepared.index.groupby("group")["split"].nunique()
    assert by_group.max() == 1
    assert report.splits is not None
    assert sum(part.examples for part in report.splits.values()) == report.examples == 150
    assert report.duplicates == 0
    report.write(tmp_path / "report.json")
    assert DataReport.read(tmp_path / "report.json") == report


def test_digest_follows_data_and_settings(tmp_path: Path) -> None:
    raw = audio(tmp_path / "raw", clips=30)
    digests = {
        prepare("noise", config, raw, tmp_path / "out")[0].card.digest
        for config in (
            task("synthetic-commands", LOG_MEL),
            task("synthetic-commands", {**LOG_MEL, "normalise": "train"}),
            task("synthetic-commands", LOG_MEL, split={"validation": 0.3, "test": 0.25}),
        )
    }
    assert len(digests) == 3


def test_text_vocabulary_comes_from_training_alone(tmp_path: Path) -> None:
    documents = [
        f"common words of speaker{i % 12} speaker{i % 12} {name(i)} {name(i + 500)}"
        for i in range(48)
    ]
    config = task("reviews", {"kind": "tokens", "max_length": 4})
    prepared, report = prepare("words", config, text(tmp_path / "raw", documents), tmp_path / "out")
    vocabulary = set(Tokenizer.from_file(str(tmp_path / "out" / "tokenizer.json")).get_vocab())
    training = prepared.index[prepared.index["split"] == "train"]["group"]
    speakers = {f"speaker{name.removeprefix('speaker-')}" for name in training}
    assert vocabulary == {"[PAD]", "[UNK]", "common", "words", "of"} | speakers
    assert prepared.card.vocabulary == len(vocabulary)
    assert prepared.sequences.dtype == np.int32
    assert prepared.index["length"].unique().tolist() == [4]
    assert report.truncated_share == 1
    assert report.certificate["vocabulary"].count == 0


def test_frames_are_copied_and_resampled_splits_left_to_the_seed(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    frames = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)
    np.save(raw / "frames.npy", frames)
    rows = [row(f"s-{i}", i, n_samples=5 if i % 2 else 15) for i in range(30)]
    manifest.write(raw, SourceCard(payload="frames", title="f", licence="none"), rows)
    config = task("digits", {"kind": "frames"}, split={**SPLIT, "resample": True})
    prepared, report = prepare("frames", config, raw, tmp_path / "out")
    assert np.array_equal(prepared.sequences, frames)
    assert set(prepared.index["split"]) == {"drawn"}
    assert report.split == "drawn for each seed from 12 groups"


def test_features_that_do_not_fit_the_source_are_refused(tmp_path: Path) -> None:
    raw = text(tmp_path / "raw", ["a b", "c d"] * 12)
    with pytest.raises(GatewiseError, match=r"log-mel needs audio, but .* gives text; use tokens"):
        prepare("words", task("reviews", LOG_MEL), raw, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_changed_since_it_was_fetched_is_named(tmp_path: Path) -> None:
    raw = audio(tmp_path / "raw", clips=30)
    (raw / "7.wav").write_bytes((raw / "8.wav").read_bytes())
    with pytest.raises(GatewiseError, match=r"7\.wav: changed since it was fetched"):
        prepare("noise", task("synthetic-commands", LOG_MEL), raw, tmp_path / "out")
    assert not (tmp_path / "out").exists()
