"""Small sound files for tests."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

RATE = 8_000


def noise(seed: int, samples: int = 2_000, channels: int = 1) -> np.ndarray:
    """Quiet noise, `(samples, channels)`."""
    return np.random.default_rng(seed).normal(0, 0.1, (samples, channels)).clip(-0.9, 0.9)


def wav(seed: int = 0, rate: int = RATE, subtype: str = "PCM_16", **more: Any) -> bytes:
    """The bytes of a wav file."""
    return encoded(noise(seed, **more), rate, subtype)


def encoded(
    samples: np.ndarray, rate: int = RATE, subtype: str | None = "PCM_16", fmt: str = "WAV"
) -> bytes:
    """Samples as the bytes of a sound file."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, subtype=subtype, format=fmt)
    return buffer.getvalue()


def folder(path: Path, groups: int = 30, labels: tuple[str, ...] = ("no", "yes")) -> Path:
    """`<label>/<speaker>_nohash_0.wav`: one clip of each label by each speaker."""
    for place, label in enumerate(labels):
        (path / label).mkdir(parents=True)
        for speaker in range(groups):
            clip = path / label / f"s{speaker:02d}_nohash_0.wav"
            clip.write_bytes(wav(place * 1000 + speaker))
    return path


def tree(root: Path, *names: str) -> Path:
    """Files of these names below `root`, each of other noise."""
    for place, name in enumerate(names):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(wav(place))
    return root
