"""Sound files to samples, refusing what would quietly spoil a data set or an answer.

Preparation and serving decode alike: what a model may be asked is what it could be trained on.
"""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import dataclass

import numpy as np

from gatewise.data.frontends import wav

SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".mp3", ".oga", ".opus", ".aif", ".aiff", ".aifc", ".au", ".snd"),
    *(".caf", ".w64", ".rf64", ".sph", ".nist", ".voc"),
)
"""Endings of sound files that libsndfile reads."""
FOREIGN = (
    *(".m4a", ".aac", ".mp4", ".wma", ".amr", ".webm", ".mka", ".mkv", ".3gp", ".ape", ".wv"),
    *(".ac3", ".alac", ".dsf", ".mov", ".ra"),
)
"""Endings of sound files that it cannot read."""
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
    """Decode the bytes of a sound file that libsndfile reads.

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
    decoded = _decode_pcm(data, sound, longest)
    if decoded is None:
        decoded = _decode_any(sound.repaired(data) if sound else data, longest)
    return checked(*decoded)


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
        raise Unusable(
            f"not decodable as sound ({error.error_string.rstrip('.')}); convert it to wav or flac"
        ) from None


def _decode_pcm(
    data: bytes, sound: wav.Sound | None, longest: float
) -> tuple[np.ndarray, int] | None:
    """16-bit PCM without libsndfile, which calls back into Python for every block it reads.

    Gives the same samples; None where the format is another.
    """
    if sound is None or sound.format != (wav.PCM, 16) or not sound.channels:
        return None
    count = sound.size // (2 * sound.channels)
    _check_format(sound.rate, sound.channels, count, longest)
    samples = np.frombuffer(data, "<i2", count * sound.channels, sound.start).astype(np.float32)
    samples *= np.float32(1 / 32_768)
    return samples.reshape(-1, sound.channels), sound.rate


def header(data: bytes) -> tuple[int, int]:
    """Samples per channel and rate in Hz of a sound file's bytes; (0, 0) where there are none."""
    import soundfile

    try:
        sound = _wav_sound(data)
        info = soundfile.info(io.BytesIO(sound.repaired(data) if sound else data))
    except (Unusable, soundfile.LibsndfileError):
        return 0, 0
    return int(info.frames), int(info.samplerate)


def _wav_sound(data: bytes) -> wav.Sound | None:
    try:
        return wav.locate(data)
    except wav.WavError as error:
        raise Unusable(str(error)) from None


def _check_format(rate: int, channels: int, samples: int, longest: float) -> None:
    if channels > CHANNELS:
        raise Unusable(f"{channels} channels; mix it down to one or two")
    if not RATES[0] <= rate <= RATES[1]:
        raise Unusable(f"sample rate {rate} Hz lies outside {RATES[0]} to {RATES[1]} Hz")
    if samples > longest * rate:
        raise Unusable(f"the clip lasts {samples / rate:.0f} s; at most {longest:.0f} s are taken")
