"""What sources of synthetic speech share: from what espeak-ng says to files of 16 kHz."""

from __future__ import annotations

import hashlib
import io
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import Example, SourceCard
from gatewise.data.sources import _espeak
from gatewise.files import cores

SAMPLE_RATE = 16_000
SILENT_PEAK = 328  # of 32,768: -40 dB; a clip below it holds no audible word


def fetch(
    target: Path,
    card: SourceCard,
    plan: list[list[_espeak.Utterance]],
    name: Callable[[int, _espeak.Utterance], str],
) -> None:
    """Speak a plan into a raw folder; what cannot be heard is left out and counted.

    Args:
        target: the folder.
        card: of the source.
        plan: utterances by timbre, which are the groups.
        name: id of an audible clip, from its place among its timbre's and what is said; its file
            lies there.
    """
    rows: list[Example] = []
    silent_clips = 0
    for batch, spoken in zip(plan, _espeak.speak_all(plan, cores()), strict=True):
        for place, (said, pcm) in enumerate(zip(batch, resample(spoken), strict=True)):
            if silent(pcm):
                silent_clips += 1
                continue
            identifier = name(place, said)
            path = f"{identifier}.wav"
            rows.append(
                Example(
                    id=identifier,
                    path=path,
                    label=said.text,
                    group=said.timbre,
                    n_samples=len(pcm),
                    sample_rate=SAMPLE_RATE,
                    sha256=write_wav(target / path, pcm),
                )
            )
    skipped = {"silent": silent_clips} if silent_clips else {}
    manifest.write(target, card.model_copy(update={"skipped": skipped}), rows)


def silent(pcm: np.ndarray) -> bool:
    """Whether nothing can be heard."""
    return bool(np.abs(pcm.astype(np.int32)).max(initial=0) < SILENT_PEAK)


def resample(clips: list[np.ndarray]) -> list[np.ndarray]:
    """From espeak-ng's rate to `SAMPLE_RATE`, all in one padded batch; int16 both ways."""
    import torch
    import torchaudio

    padded = torch.zeros(len(clips), max(map(len, clips)))
    for row, clip in zip(padded, clips, strict=True):
        row[: len(clip)] = torch.from_numpy(clip)
    resampled = torchaudio.functional.resample(padded, _espeak.RATE, SAMPLE_RATE)
    pcm = resampled.round().clamp(-32_768, 32_767).to(torch.int16).numpy()
    return [
        row[: len(clip) * SAMPLE_RATE // _espeak.RATE] for row, clip in zip(pcm, clips, strict=True)
    ]


def write_wav(path: Path, pcm: np.ndarray) -> str:
    """Write 16-bit mono PCM and return the file's sha256."""
    # The standard library writes thousands of small files ten times faster than libsndfile,
    # which waits for the disk after each.
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm.astype("<i2").tobytes())
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(buffer.getbuffer())
    return hashlib.sha256(buffer.getbuffer()).hexdigest()
