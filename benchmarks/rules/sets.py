"""Sets that the rules are measured on, in the form that a user has them, with settings by hand.

`digits` is not among them: it has ready-made frames, which no folder holds.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from gatewise.artifacts import manifest
from gatewise.config import source_class
from gatewise.data import sources
from gatewise.data.understanding import Options
from gatewise.files import replacing

PROJECT = Path(__file__).parents[2]
SECTIONS = ("features", "augment", "model", "train")
"""Of a task, what is set by hand; source, split and metric are those of the rules."""


@dataclass(frozen=True)
class Hand:
    """Settings that people made for one set."""

    task: Mapping[str, Any]
    """Its sections `features`, `augment`, `model` and `train`."""
    train: Mapping[str, Any]
    """The study's section `train`."""
    hidden: int
    """Units of the LSTM and the GRU."""


@dataclass(frozen=True)
class DataSet:
    """One set."""

    name: str
    about: str
    place: Callable[[Path, Path], Path | None]
    """Given a folder to write to and that of the real data, which do not ship with the project:
    where the set lies as a user would have it; nothing if it is absent."""
    hand: Hand
    options: Options = field(default_factory=lambda: Options(likelier=True))
    """What is said on the command line: `--yes` alone, where that will do."""


# --- in the form that a user has ------------------------------------------------------------


def _commands(folder: Path, _real: Path) -> Path:
    """A folder of WAVs, a folder a word, the voice at the start of each name."""
    target = folder / "commands"
    if not target.is_dir():
        source = source_class("synthetic-commands").model_validate({"kind": "synthetic-commands"})
        raw = sources.fetch(source, folder / "raw-commands")
        with replacing(target) as made:
            made.mkdir()
            for path in raw.manifest["path"]:
                (made / path).parent.mkdir(exist_ok=True)
                shutil.move(raw.locate(path), made / path)
        shutil.rmtree(raw.folder)
    return target


def _reviews(folder: Path, _real: Path) -> Path:
    """A CSV with the columns sentence, verdict and film."""
    target = folder / "reviews.csv"
    if not target.is_file():
        source = source_class("reviews").model_validate({"kind": "reviews"})
        raw = sources.fetch(source, folder / "raw-reviews")
        texts = pd.read_parquet(raw.folder / manifest.DOCUMENTS)["text"]
        rows = zip(texts, raw.manifest["label"], raw.manifest["group"], strict=True)
        with replacing(target) as made, made.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["sentence", "verdict", "film"])
            writer.writerows(rows)
        shutil.rmtree(raw.folder)
    return target


def _speech_commands(_folder: Path, real: Path) -> Path | None:
    target = real / "SpeechCommands" / "speech_commands_v0.01"
    return target if target.is_dir() else None


def _banking(_folder: Path, real: Path) -> Path | None:
    return real / "banking77" if (real / "banking77").is_dir() else None


# --- by hand --------------------------------------------------------------------------------

COMMON = {
    "batch_size": 64,
    "learning_rate": 0.005,
    "weight_decay": 0.01,
    "clip_norm": 1.0,
    "schedule": "one-cycle",
    "patience": 4,
}
"""The section `train` of the default study."""
SPEECH = {
    "kind": "log-mel",
    "sample_rate": 16000,
    "n_fft": 512,
    "hop_length": 320,
    "n_mels": 40,
    "seconds": 1.0,
    "normalise": "clip",
}
ROOM = {
    "time_shift": 0.1,
    "noise_snr_db": [5, 40],
    "gain_db": [-6, 6],
    "spec_augment": {
        "frequency_masks": 1,
        "frequency_width": 6,
        "time_masks": 1,
        "time_width": 8,
    },
}


def _of_the_default_study(task: str) -> Hand:
    """As `params.yaml` has a task, so that the comparison stays with it."""
    import yaml

    study = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))
    own = {name: study["tasks"][task][name] for name in SECTIONS if name in study["tasks"][task]}
    return Hand(own, study["train"], study["variants"]["lstm"]["hidden"])


def all_sets() -> list[DataSet]:
    """Those that can be had here are told by `place`."""
    return [
        DataSet(
            "commands",
            "synthetic command words as a folder of WAVs, voices apart",
            _commands,
            _of_the_default_study("commands"),
        ),
        DataSet(
            "reviews",
            "film reviews as a CSV, films apart",
            _reviews,
            _of_the_default_study("reviews"),
        ),
        DataSet(
            "speech-commands",
            "1,801 real clips of Speech Commands, nine words, speakers apart",
            _speech_commands,
            Hand(
                {
                    "features": SPEECH,
                    "augment": ROOM,
                    "model": {"pooling": "max"},
                    "train": {"epochs": 30, "patience": 30},
                },
                COMMON,
                96,
            ),
        ),
        DataSet(
            "banking77",
            "real customer questions, 77 intents, the published split",
            _banking,
            Hand(
                {
                    "features": {"kind": "tokens", "vocabulary": 8000, "max_length": 40},
                    "model": {"pooling": "max", "embeddings": "cooccurrence"},
                    "train": {"epochs": 12},
                },
                COMMON,
                96,
            ),
        ),
    ]
