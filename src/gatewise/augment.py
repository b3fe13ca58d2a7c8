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

import numpy as np
import torch
from torch import Tensor

from gatewise.config import Augment, SpecAugment
from gatewise.features import FLOOR

SILENCE = math.log(FLOOR)
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
_LOG_SCALE = 2**23 / math.log(2)
_LOG_ZERO = (127 - 0.043) * 2**23


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
    batch: np.ndarray, config: Augment, changes: Changes, lengths: np.ndarray
) -> np.ndarray:
    """Change every clip of a batch in all but its place in time.

    Args:
        batch: float32 `(batch, time, mels)`, log-mels as preparation stores them, moved by
            `changes.shift` when they were read; may be overwritten.
        config: what may change.
        changes: those of the batch's clips.
        lengths: `(batch,)` valid frames of each clip. Frames beyond them come back unspecified.

    Returns:
        An array of the same shape.
    """
    out = torch.from_numpy(batch)
    valid = np.arange(batch.shape[1]) < lengths[:, None]
    weight = torch.from_numpy(valid * (1 / lengths[:, None]).astype(np.float32))[:, None]
    if config.gain_db is not None or config.noise_snr_db is not None:
        out = _with_noise(out, changes, weight)
    if config.spec_augment is not None:
        _mask(out, changes, weight)
    return out.numpy()


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


# --- gain and noise ----------------------------------------------------------------------


def _with_noise(x_btf: Tensor, changes: Changes, weight: Tensor) -> Tensor:
    """Scale a clip's power, then add coloured noise in a drawn ratio to it.

    The power of stationary noise in one frame and band is a mean of about k periodogram bins,
    which is gamma distributed with relative variance 1/k; bands widen with frequency, so k grows.
    An exponential draw pulled towards its mean has the same mean and variance and costs far less
    than a gamma draw. One long recording of such draws serves all clips, each from a place of its
    own, as recordings of background noise do.
    """
    _, time, mels = x_btf.shape
    power = _exp(x_btf, changes.gain)
    recording, position, bins = _recording(_PLACES + (1 << time.bit_length()), mels)
    cells = torch.from_numpy(recording.take(changes.place[:, None] + np.arange(time), axis=0))
    spectrum = np.exp(changes.tilt[:, None] * position) * bins
    spectrum *= (changes.noise / spectrum.sum(axis=1))[:, None]
    signal = torch.bmm(weight, power).sum(2, keepdim=True)
    power.addcmul_(cells, torch.from_numpy(spectrum)[:, None] * signal)
    # What stands for silence in every cell gets no quieter with the clip.
    power += _column(FLOOR * np.maximum(1 - np.exp(changes.gain), 0))
    return _log(power)


@functools.cache
def _recording(frames: int, mels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise `(frames, mels)` of mean 1, place of each band from 0 to 1, bins that feed it.

    A longer recording begins as a shorter one does.
    """
    position = np.linspace(0, 1, mels, dtype=np.float32)
    bins = 1 + 7 * position**2
    draws = np.random.default_rng(0).standard_exponential((frames, mels), dtype=np.float32)
    return 1 + (draws - 1) / np.sqrt(bins), position, bins


def _column(values: np.ndarray) -> Tensor:
    return torch.from_numpy(values)[:, None, None]


def _exp(x: Tensor, gain: np.ndarray) -> Tensor:
    bits = torch.add(_column(_LOG_ZERO + _LOG_SCALE * gain), x, alpha=_LOG_SCALE)
    return bits.to(torch.int32).view(torch.float32)


def _log(x: Tensor) -> Tensor:
    return x.view(torch.int32).to(torch.float32).sub_(_LOG_ZERO).mul_(1 / _LOG_SCALE)


# --- masks -------------------------------------------------------------------------------


def _mask(x_btf: Tensor, changes: Changes, weight: Tensor) -> None:
    """Hide stripes of frequency and time (Park et al. 2019) under the clip's mean per band."""
    _, time, mels = x_btf.shape
    mean, out = torch.bmm(weight, x_btf).numpy()[:, 0], x_btf.numpy()
    # Cell by cell: a mask as large as the batch would cost more than what is under it.
    clip, frame = np.nonzero(_under(changes.frames, time))
    out[clip, frame] = mean[clip]
    clip, band = np.nonzero(_under(changes.bands, mels))
    out[clip, :, band] = mean[clip, band][:, None]


def _under(stripes: np.ndarray, size: int) -> np.ndarray:
    """`(clips, size)`, true under any of the masks."""
    axis = np.arange(size, dtype=np.int32)[:, None]
    under = (axis >= stripes[:, :1]) & (axis < stripes[:, 1:])
    covered: np.ndarray = np.logical_or.reduce(under, axis=2)
    return covered
