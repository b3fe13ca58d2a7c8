"""A small task of strings for tests: sounds whose pitch says which symbol is meant."""

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from gatewise.artifacts.data_report import DataReport
from gatewise.artifacts.prepared import Prepared
from gatewise.config import TaskConfig
from gatewise.data import sources
from gatewise.data.preparation.build import prepare

RATE = 4_000
PITCHES = {"low": 300, "mid": 700, "high": 1400}
STEP = 0.06
"""Seconds of a symbol, and of the silence behind it."""


def sound(text: str, number: int = 0) -> np.ndarray:
    """A tone a word, float32; no two of different numbers are alike."""
    time = np.arange(int(STEP * RATE)) / RATE
    tones = [np.sin(2 * np.pi * PITCHES[word] * time) for word in text.split()]
    pause = np.zeros(len(time))
    parts = [part for tone in tones for part in (tone, pause)]
    noise = np.random.default_rng(number).normal(0, 0.01, len(time) * len(parts))
    return (0.5 * np.concatenate(parts) + noise).astype(np.float32)


def write_table(root: Path, texts: list[str], column: str = "text", **more: list[str]) -> Path:
    """`table.csv` and its sounds below `root`."""
    root.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, text in enumerate(texts):
        soundfile.write(root / f"{number}.wav", sound(text or "low", number), RATE)
        rows.append((f"{number}.wav", text))
    table = pd.DataFrame(rows, columns=["path", column]).assign(**more)
    table.to_csv(root / "table.csv", index=False)
    return root / "table.csv"


def texts(count: int = 90, seed: int = 0) -> list[str]:
    """Strings of one to three words."""
    draws, words = np.random.default_rng(seed), list(PITCHES)
    return [
        " ".join(words[k] for k in draws.integers(3, size=draws.integers(1, 4)))
        for _ in range(count)
    ]


def config(table: Path, **changes: object) -> TaskConfig:
    """A task over such a table."""
    settings = {
        "source": {"kind": "transcripts", "path": str(table)},
        "split": {"validation": 0.2, "test": 0.2},
        "features": {
            "kind": "log-mel",
            "sample_rate": RATE,
            "n_fft": 128,
            "hop_length": 80,
            "n_mels": 10,
        },
    }
    return TaskConfig.model_validate(settings | changes)


def make(
    root: Path, said: list[str] | None = None, groups: int = 15, **changes: object
) -> tuple[Prepared, DataReport]:
    """`data/prepared/toy` below `root`."""
    said = texts() if said is None else said
    speakers = [f"speaker-{k % groups}" for k in range(len(said))]
    settings = config(write_table(root / "sounds", said, group=speakers), **changes)
    for part in ("raw", "prepared"):
        (root / "data" / part).mkdir(parents=True, exist_ok=True)
    raw = sources.fetch(settings.source, root / "data/raw/toy")
    return prepare("toy", settings, raw.folder, root / "data/prepared/toy", 1)
