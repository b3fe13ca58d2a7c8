"""Random changes to training batches of log-mels.

They act on the log-mels, not on the waveforms: a step then costs microseconds, and the same
prepared arrays serve every seed. A time shift moves whole frames; gain and noise act on powers,
`log(g exp(x) + n)`, which is what scaling the waveform and adding independent noise to it does
to the expected power of each cell.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numba as nb
import numpy as np

from gatewise.config import Augment, SpecAugment
from gatewise.data.frontends.spectra import FLOOR

SILENCE = np.float32(math.log(FLOOR))
"""What a shift brings in from outside a clip."""
_DECIBEL = math.log(10) / 10  # natural logarithm of power per dB
_TILT_DB = (-30.0, 10.0)
"""Range of the noise's slope between the lowest and the highest band, from dark to bright."""
_PLACES = 1 << 13
"""Frames of the recording of noise at which a piece may begin."""
_NO_MASKS = SpecAugment(frequency_masks=0, time_masks=0)

# The bits of a positive float32, read as an integer, are a piecewise linear logarithm of it
# (Mitchell 1962): exact inverses, at a fifth of the time of exp and log. Moved by half of its
# largest error, it is off by at most 0.13 dB, and with no noise added by nothing.
_LOG_SCALE = np.float32(2**23 / math.log(2))
_LOG_ZERO = np.float32((127 - 0.043) * 2**23)


class Changes(NamedTuple):
    """What happens to each of some clips; all arrays have the clips as their first axis."""

    shift: np.ndarray
    """`(clips,)` whole frames, positive to later."""
    gain: np.ndarray
    """`(clips,)` nats of power."""
    noise: np.ndarray
    """`(clips,)` power of the noise to that of the clip; 0 where there is none."""
    tilt: np.ndarray
    """`(clips,)` nats of power from the noise's lowest band to its highest."""
    place: np.ndarray
    """`(clips,)` frame at which the noise begins in its recording."""
    bands: np.ndarray
    """`(clips, 2, masks)` first band under each mask, and the first after it."""
    frames: np.ndarray
    """`(clips, 2, masks)` first frame under each mask, and the first after it."""

    def of(self, rows: np.ndarray) -> Changes:
        """Those of some of the clips."""
        return Changes(*(part[rows] for part in self))


def draw(
    config: Augment,
    generator: np.random.Generator,
    lengths: np.ndarray,
    mels: int,
    step_seconds: float,
) -> Changes:
    """Draw changes for clips.

    Args:
        config: what may change and by how much.
        generator: the run's `augment` stream. Equal states give equal changes; how much is drawn
            hangs on the numbers of clips and masks alone.
        lengths: `(clips,)` frames of each clip.
        mels: bands of each frame.
        step_seconds: duration of one frame.
    """
    masks = config.spec_augment or _NO_MASKS
    over_bands, over_frames = 2 * masks.frequency_masks, 2 * masks.time_masks
    rows = 6 + over_bands + over_frames
    draws = generator.random((rows, len(lengths)), dtype=np.float32)
    shift, gain, level, presence, tilt, place = draws[:6]
    noise = np.zeros_like(level)
    if config.noise_snr_db is not None:
        noise = 10 ** (-_uniform(level, config.noise_snr_db) / 10)
        noise[presence >= config.noise_probability] = 0
    most = round(config.time_shift / step_seconds)
    limits = np.full(len(lengths), mels)
    return Changes(
        shift=_integers(shift, -most, most).astype(np.int64),
        gain=_uniform(gain, config.gain_db or (0.0, 0.0)) * _DECIBEL,
        noise=noise,
        tilt=_uniform(tilt, _TILT_DB) * _DECIBEL,
        place=_integers(place, 0, _PLACES - 1).astype(np.int64),
        bands=_stripes(draws[6 : 6 + over_bands].T, masks.frequency_width, limits),
        frames=_stripes(draws[6 + over_bands :].T, masks.time_width, lengths),
    )


def augment(
    sequences: np.ndarray, starts: np.ndarray, lengths: np.ndarray, changes: Changes
) -> np.ndarray:
    """Copy clips out of their recordings and change the copies.

    Args:
        sequences: float32 `(steps, mels)`, log-mels of all clips as preparation stores them.
        starts: int64 `(clips,)`, row of `sequences` at which each clip begins.
        lengths: int64 `(clips,)`, frames of each clip.
        changes: those of the same clips.

    Returns:
        `(clips, most frames, mels)`, zero beyond each clip's frames.
    """
    mels = sequences.shape[1]
    out = np.empty((len(starts), lengths.max(), mels), np.float32)
    noise = _recording(_PLACES + (1 << out.shape[1].bit_length()), mels)
    _change(out, sequences, starts, lengths, changes, SILENCE, np.float32(FLOOR), *noise)
    return out


def _uniform(draws: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return limits[0] + draws * (limits[1] - limits[0])


def _integers(draws: np.ndarray, least: int, most: int | np.ndarray) -> np.ndarray:
    """Whole numbers from `least` to `most`, both included."""
    whole: np.ndarray = np.floor(least + draws * (most - least + 1))
    return whole


def _stripes(draws: np.ndarray, width: int, limits: np.ndarray) -> np.ndarray:
    """`(clips, 2, masks)`, where masks up to `width` wide begin and end, before `limits`."""
    widths = np.minimum(_integers(draws[:, 0::2], 0, width), limits[:, None])
    starts = _integers(draws[:, 1::2], 0, limits[:, None] - widths)
    return np.stack([starts, starts + widths], axis=1).astype(np.int32)


@functools.cache
def _recording(frames: int, mels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise `(frames, mels)` of mean 1, place of each band from 0 to 1, bins that feed it.

    The power of stationary noise in one frame and band is a mean of about k periodogram bins,
    which is gamma distributed with relative variance 1/k; bands widen with frequency, so k grows.
    An exponential draw pulled towards its mean has the same mean and variance and costs far less
    than a gamma draw. One long recording of such draws serves all clips, each from a place of its
    own, as recordings of background noise do. A longer recording begins as a shorter one does.
    """
    position = np.linspace(0, 1, mels, dtype=np.float32)
    bins = 1 + 7 * position**2
    draws = np.random.default_rng(0).standard_exponential((frames, mels), dtype=np.float32)
    return 1 + (draws - 1) / np.sqrt(bins), position, bins


# --- compiled ------------------------------------------------------------------------------
#
# Clip by clip, so that what one loop writes is still in the core's first cache for the next;
# as operations on whole batches the same took four times as long. Constants here are this file's
# own: numba keeps what it compiled until the file changes, whatever changes elsewhere.

_FRAMES = nb.float32[:, ::1]
_READ_ONLY = nb.types.Array(nb.float32, 2, "C", readonly=True)
_CHANGES = nb.types.NamedTuple(
    [nb.int64[::1], *[nb.float32[::1]] * 3, nb.int64[::1], *[nb.int32[:, :, ::1]] * 2], Changes
)


@nb.njit(cache=True)
def _exp(x: np.float32, gain: np.float32) -> np.int32:
    """Bits of the power of `x + gain`."""
    return np.int32(x * _LOG_SCALE + (_LOG_ZERO + _LOG_SCALE * gain))


@nb.njit(cache=True)
def _log(bits: np.int32) -> np.float32:
    return (np.float32(bits) - _LOG_ZERO) * (np.float32(1) / _LOG_SCALE)


@nb.njit(cache=True)
def _read(clip: np.ndarray, sequence: np.ndarray, shift: int, silence: np.float32) -> None:
    """Copy all frames of `sequence`, `shift` frames later."""
    for t in range(len(clip)):
        source = t - shift
        for m in range(clip.shape[1]):
            clip[t, m] = sequence[source, m] if 0 <= source < len(clip) else silence


@nb.njit(cache=True)
def _add_noise(
    clip: np.ndarray,
    gain: np.float32,
    floor: np.float32,
    spectrum: np.ndarray,
    recording: np.ndarray,
) -> None:
    """Scale a clip's power, then add coloured noise in a given ratio to it.

    `spectrum` is the noise's mean power in each band in proportion to the clip's mean power.
    """
    frames, mels = clip.shape
    bits = np.empty((frames, mels), np.int32)
    power = bits.view(np.float32)
    bands = np.zeros(mels, np.float32)
    for t in range(frames):
        for m in range(mels):
            bits[t, m] = _exp(clip[t, m], gain)
            bands[m] += power[t, m]
    noise = spectrum * (bands.sum() / np.float32(frames))
    # What stands for silence in every cell gets no quieter with the clip.
    silence = floor * max(np.float32(1) - np.exp(gain), np.float32(0))
    for t in range(frames):
        for m in range(mels):
            power[t, m] += recording[t, m] * noise[m] + silence
            clip[t, m] = _log(bits[t, m])


@nb.njit(cache=True)
def _mask(clip: np.ndarray, bands: np.ndarray, frames: np.ndarray) -> None:
    """Hide stripes of frequency and time (Park et al. 2019) under the clip's mean per band."""
    mean = np.zeros(clip.shape[1], np.float32)
    for t in range(len(clip)):
        for m in range(clip.shape[1]):
            mean[m] += clip[t, m]
    mean /= np.float32(len(clip))
    for stripe in range(frames.shape[1]):
        for t in range(frames[0, stripe], frames[1, stripe]):
            clip[t] = mean
    for stripe in range(bands.shape[1]):
        for t in range(len(clip)):
            for m in range(bands[0, stripe], bands[1, stripe]):
                clip[t, m] = mean[m]


# With its types given it is compiled when this module is imported, once on a machine, and not
# anew in every process that is forked from here.
@nb.njit(
    nb.void(
        nb.float32[:, :, ::1], _READ_ONLY, nb.int64[::1], nb.int64[::1], _CHANGES,
        nb.float32, nb.float32, _FRAMES, nb.float32[::1], nb.float32[::1],
    ),
    cache=True,
)  # fmt: skip
def _change(
    out: np.ndarray,
    sequences: np.ndarray,
    starts: np.ndarray,
    lengths: np.ndarray,
    changes: Changes,
    silence: np.float32,
    floor: np.float32,
    recording: np.ndarray,
    position: np.ndarray,
    bins: np.ndarray,
) -> None:
    for number in range(len(out)):
        start, length = starts[number], lengths[number]
        clip = out[number, :length]
        out[number, length:] = 0
        _read(clip, sequences[start : start + length], changes.shift[number], silence)
        gain, noise = changes.gain[number], changes.noise[number]
        if gain != 0 or noise != 0:
            spectrum = np.exp(changes.tilt[number] * position) * bins
            spectrum *= noise / spectrum.sum()
            _add_noise(clip, gain, floor, spectrum, recording[changes.place[number] :])
        if changes.bands.size + changes.frames.size > 0:
            _mask(clip, changes.bands[number], changes.frames[number])
