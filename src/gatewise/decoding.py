"""Sound files to samples, refusing what would quietly spoil a data set."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATES = (4_000, 192_000)
"""Lowest and highest sample rate in Hz that speech is taken at."""
CHANNELS = 2
"""More are refused: a mean over a microphone array or 5.1 sound is rarely what was meant."""
SILENT_PEAK = 1e-3  # -60 dB below full scale
CLIPPED_SHARE = 1e-3  # of samples at full scale
FULL_SCALE = 0.999


class Unusable(Exception):  # noqa: N818 - a finding about an example, not an error of the program
    """An example cannot be used; the message says why."""


@dataclass(frozen=True)
class Clip:
    """A decoded sound file."""

    samples: np.ndarray
    """float32 `(samples, channels)` in [-1, 1]."""
    rate: int
    """Hz."""

    @property
    def content(self) -> str:
        """Digest of the decoded samples: equal whatever the file format."""
        return hashlib.sha256(self.samples.tobytes() + str(self.rate).encode()).hexdigest()

    @property
    def flaws(self) -> list[str]:
        """What a person should know about the clip although it can be used."""
        loudness = np.abs(self.samples)
        found = []
        if loudness.max() < SILENT_PEAK:
            found.append("silent")
        if (loudness >= FULL_SCALE).mean() > CLIPPED_SHARE:
            found.append("clipped")
        return found


def decode(data: bytes) -> Clip:
    """Decode the bytes of a wav, flac, ogg or mp3 file.

    Raises:
        Unusable: not decodable, empty, shorter or longer than its header says, not finite,
            more than `CHANNELS` channels, or a rate outside `RATES`.
    """
    import soundfile

    if not data:
        raise Unusable("empty file")
    _check_wav_length(data)
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            rate, channels = int(file.samplerate), int(file.channels)
            _check_format(rate, channels)
            samples = file.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise Unusable(f"not decodable as sound ({error.error_string.rstrip('.')})") from None
    if len(samples) == 0:
        raise Unusable("no samples")
    if not np.isfinite(samples).all():
        raise Unusable("samples that are not finite numbers")
    return Clip(samples, rate)


def header(path: Path) -> tuple[int, int]:
    """Samples per channel and rate in Hz as the header says; (0, 0) where there is none."""
    import soundfile

    try:
        info = soundfile.info(str(path))
    except soundfile.LibsndfileError:
        return 0, 0
    return int(info.frames), int(info.samplerate)


def _check_format(rate: int, channels: int) -> None:
    if channels > CHANNELS:
        raise Unusable(f"{channels} channels; mix it down to one or two")
    if not RATES[0] <= rate <= RATES[1]:
        raise Unusable(f"sample rate {rate} Hz lies outside {RATES[0]} to {RATES[1]} Hz")


def _check_wav_length(data: bytes) -> None:
    """Compare what a wav's header promises with what is there; libsndfile adapts silently."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return
    place = 12
    while place + 8 <= len(data):
        name, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        place += 8
        if name == b"data":
            there = len(data) - place
            if size in (0xFFFFFFFF, 0x7FFFFFFF - 36):
                return  # written to a pipe, length unknown: everything that follows counts
            if size > there:
                raise Unusable(f"truncated: the header promises {size} bytes, {there} are there")
            rest = data[place + size + size % 2 :]
            if len(rest) >= 8 and not rest[:4].strip().isalnum():
                raise Unusable(
                    f"the header promises {size} bytes of sound, but {there} follow; it lies "
                    "about the length"
                )
            return
        place += size + size % 2
    raise Unusable("truncated: no sound after the header")
