"""Sound files to samples, refusing what would quietly spoil a data set or an answer.

Preparation and serving decode alike: what a model may be asked is what it could be trained on.
"""

from __future__ import annotations

import hashlib
import io
import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATES = (4_000, 192_000)
"""Lowest and highest sample rate in Hz that speech is taken at."""
CHANNELS = 2
"""More are refused: a mean over a microphone array or 5.1 sound is rarely what was meant."""
LOUDEST = 1e4
"""Full scale is 1; samples in other units than that would drown every feature."""
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
        content = hashlib.sha256(np.ascontiguousarray(self.samples).data)
        content.update(str(self.rate).encode())
        return content.hexdigest()

    @property
    def peak(self) -> float:
        """Largest magnitude of a sample."""
        return max(float(self.samples.max()), -float(self.samples.min()))

    @property
    def flaws(self) -> list[str]:
        """What a person should know about the clip although it can be used."""
        peak = self.peak
        if peak < SILENT_PEAK:
            return ["silent"]
        if peak < FULL_SCALE:
            return []
        clipped = np.count_nonzero(np.abs(self.samples) >= FULL_SCALE)
        return ["clipped"] if clipped > CLIPPED_SHARE * self.samples.size else []


def decode(data: bytes, longest: float = math.inf) -> Clip:
    """Decode the bytes of a wav, flac, ogg or mp3 file.

    Args:
        data: the whole file.
        longest: seconds; a longer clip is refused before it is decoded.

    Raises:
        Unusable: not decodable, empty, shorter or longer than its header says, or what
            `checked` refuses.
    """
    if not data:
        raise Unusable("empty file")
    sound = _wav_sound(data)
    samples, rate = _decode_pcm(data, sound, longest) or _decode_any(data, longest)
    return checked(samples, rate)


def checked(samples: np.ndarray, rate: int, longest: float = math.inf) -> Clip:
    """A clip of samples `(samples, channels)` at `rate` Hz.

    Raises:
        Unusable: no samples, more than `longest` seconds of them, samples that are not finite
            or beyond `LOUDEST`, more than `CHANNELS` channels, or a rate outside `RATES`.
    """
    _check_format(rate, samples.shape[1], len(samples), longest)
    if not len(samples):
        raise Unusable("no samples")
    if not np.isfinite(samples).all():
        raise Unusable("samples that are not finite numbers")
    clip = Clip(samples, rate)
    if clip.peak > LOUDEST:
        raise Unusable("samples far beyond full scale; they should lie between -1 and 1")
    return clip


def _decode_any(data: bytes, longest: float) -> tuple[np.ndarray, int]:
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            rate = int(file.samplerate)
            _check_format(rate, int(file.channels), int(file.frames), longest)
            return file.read(dtype="float32", always_2d=True), rate
    except soundfile.LibsndfileError as error:
        raise Unusable(f"not decodable as sound ({error.error_string.rstrip('.')})") from None


def _decode_pcm(data: bytes, sound: _Sound | None, longest: float) -> tuple[np.ndarray, int] | None:
    """16-bit PCM without libsndfile, which calls back into Python for every block it reads.

    Gives the same samples; None where the format is another.
    """
    if sound is None or sound.format != (_PCM, 16) or not sound.channels:
        return None
    count = sound.size // (2 * sound.channels)
    _check_format(sound.rate, sound.channels, count, longest)
    samples = np.frombuffer(data, "<i2", count * sound.channels, sound.start).astype(np.float32)
    samples *= np.float32(1 / 32_768)
    return samples.reshape(-1, sound.channels), sound.rate


def header(path: Path) -> tuple[int, int]:
    """Samples per channel and rate in Hz as the header says; (0, 0) where there is none."""
    import soundfile

    try:
        info = soundfile.info(str(path))
    except soundfile.LibsndfileError:
        return 0, 0
    return int(info.frames), int(info.samplerate)


def _check_format(rate: int, channels: int, samples: int, longest: float) -> None:
    if channels > CHANNELS:
        raise Unusable(f"{channels} channels; mix it down to one or two")
    if not RATES[0] <= rate <= RATES[1]:
        raise Unusable(f"sample rate {rate} Hz lies outside {RATES[0]} to {RATES[1]} Hz")
    if samples > longest * rate:
        raise Unusable(f"the clip lasts {samples / rate:.0f} s; at most {longest:.0f} s are taken")


_PCM = 1  # format tag of integer samples


@dataclass(frozen=True)
class _Sound:
    """Where a wav's samples lie, and what they are."""

    format: tuple[int, int]
    """Format tag and bits per sample."""
    channels: int
    rate: int
    start: int
    size: int
    """Bytes."""


def _wav_sound(data: bytes) -> _Sound | None:
    """Compare what a wav's header promises with what is there; libsndfile adapts silently.

    None if `data` is no wav.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    tag = channels = rate = bits = 0
    place = 12
    while place + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, place)
        place += 8
        if name == b"fmt " and place + 16 <= len(data):
            tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, place)
        if name == b"data":
            size = _checked_size(data, place, size)
            return _Sound((tag, bits), channels, rate, place, size)
        place += size + size % 2
    raise Unusable("truncated: no sound after the header")


def _checked_size(data: bytes, place: int, size: int) -> int:
    there = len(data) - place
    if size in (0xFFFFFFFF, 0x7FFFFFFF - 36):
        return there  # written to a pipe, length unknown: everything that follows counts
    if size > there:
        raise Unusable(f"truncated: the header promises {size} bytes, {there} are there")
    rest = data[place + size + size % 2 :][:8]
    if len(rest) == 8 and not rest[:4].strip().isalnum():
        raise Unusable(
            f"the header promises {size} bytes of sound, but {there} follow; it lies about the "
            "length"
        )
    return size
