"""A small task of translation for tests: German numbers, to be said in English."""

from pathlib import Path

import numpy as np

from gatewise.artifacts import manifest
from gatewise.artifacts.data_report import DataReport
from gatewise.artifacts.manifest import SourceCard
from gatewise.artifacts.prepared import Prepared
from gatewise.config import TaskConfig
from gatewise.data.preparation.build import prepare
from gatewise.data.sources import _documents
from gatewise.data.sources._documents import Document

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
GERMAN = ["null", "eins", "zwei", "drei", "vier", "funf", "sechs", "sieben", "acht", "neun"]
SPLITS = ["train"] * 6 + ["validation", "test"]
"""One after the other."""


def pairs(count: int = 96, seed: int = 0) -> list[tuple[str, str]]:
    """Three to five different numbers and their texts, no two alike."""
    draws, found = np.random.default_rng(seed), {}
    while len(found) < count:
        digits = draws.permutation(10)[: draws.integers(3, 6)]
        found[" ".join(GERMAN[k] for k in digits)] = " ".join(WORDS[k] for k in digits)
    return list(found.items())


def config(**changes: object) -> TaskConfig:
    """A task over such pairs; its source is never asked."""
    settings = {
        "source": {"kind": "text-file", "path": "pairs.csv", "text": "from", "label": "to"},
        "features": {"kind": "tokens", "min_frequency": 1},
        "objective": {"kind": "generate"},
    }
    return TaskConfig.model_validate(settings | changes)


def make(
    root: Path, said: list[tuple[str, str]] | None = None, **changes: object
) -> tuple[Prepared, DataReport]:
    """`data/prepared/toy` below `root`."""
    said = pairs() if said is None else said
    raw = root / "data/raw/toy"
    raw.mkdir(parents=True)
    (root / "data/prepared").mkdir(parents=True)
    documents = [
        Document(f"{row}", text, label, f"pair-{row}", SPLITS[row % len(SPLITS)])
        for row, (text, label) in enumerate(said)
    ]
    card = SourceCard(payload="text", title="made up for tests", synthetic=True, licence="MIT")
    manifest.write(raw, card, _documents.write(raw, documents))
    return prepare("toy", config(**changes), raw, root / "data/prepared/toy", 1)
