"""Random changes to training batches of log-mels.

They act on the log-mels, not on the waveforms: a step then costs microseconds, and the same
prepared arrays serve every seed. Gain is an offset, a time shift moves whole frames, and noise
is added as power, `log(exp(x) + n)`, which is what adding independent noise to the waveform
does to the expected power of each cell.
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
_NOISE_CELLS = 1 << 20

# The bits of a positive float32, read as an integer, are a piecewise linear logarithm of it
# (Mitchell 1962): exact inverses, at a fifth of the time of exp and log. Moved by half of its
# largest error, it is off by at most 0.13 dB, and with no noise added by nothing.
_LOG_SCALE = 2**23 / math.log(2)
_LOG_ZERO = torch.tensor((127 - 0.043) * 2**23, dtype=torch.float32)


class Changes(NamedTuple):
    """What happens to each clip of a batch: drawn first, because a shift decides what to read."""

    config: Augment
    shift: np.ndarray
    """`(batch,)` whole frames, positive to later."""
    draws: np.ndarray
    """`(8 or more, batch)` uniform in [0, 1): gain; level, presence, tilt and place of the noise;
    then a width and a place for every mask."""


def draw(
    config: Augment, generator: np.random.Generator, count: int, step_seconds: float
) -> Changes:
    """Changes for `count` clips.

    Args:
        config: what may change and by how much.
        generator: the run's `augment` stream. Equal states give equal changes; how much is drawn
            hangs on `count` and the number of masks alone.
        count: clips in the batch.
        step_seconds: duration of one frame.
    """
    masks = config.spec_augment or SpecAugment(frequency_masks=0, time_masks=0)
    rows = 6 + 2 * (masks.frequency_masks + masks.time_masks)
    first, *draws = generator.random((rows, count))
    most = round(config.time_shift / step_seconds)
    return Changes(config, _integers(first, -most, most), np.array(draws))


def augment(batch: np.ndarray, changes: Changes, lengths: np.ndarray) -> np.ndarray:
    """Change every clip of a batch in all but its place in time.

    Args:
        batch: float32 `(batch, time, mels)`, log-mels as preparation stores them, shifted by
            `changes.shift` when they were read; may be overwritten.
        changes: what `draw` gave for as many clips.
        lengths: `(batch,)` valid frames of each clip. Frames beyond them come back unspecified.

    Returns:
        An array of the same shape.
    """
    config, (gain, level, presence, tilt, place, *masks) = changes.config, changes.draws
    out = torch.from_numpy(batch)
    valid = np.arange(batch.shape[1]) < lengths[:, None]
    weight = torch.from_numpy((valid / lengths[:, None]).astype(np.float32))
    if config.gain_db is not None:
        out += _column(_uniform(gain, config.gain_db) * _DECIBEL)
        out.clamp_(min=SILENCE)
    if config.noise_snr_db is not None:
        ratio = 10 ** (-_uniform(level, config.noise_snr_db) / 10)
        ratio[presence >= config.noise_probability] = 0
        out = _with_noise(out, ratio, _uniform(tilt, _TILT_DB) * _DECIBEL, place, weight)
    if config.spec_augment is not None:
        _mask(out, config.spec_augment, np.array(masks), lengths, weight)
    return out.numpy()


def _uniform(draws: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return limits[0] + draws * (limits[1] - limits[0])


def _integers(draws: np.ndarray, least: int, most: int | np.ndarray) -> np.ndarray:
    """Integers from `least` to `most`, both included."""
    whole: np.ndarray = np.floor(least + draws * (most - least + 1)).astype(np.int64)
    return whole


def _column(values: np.ndarray) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))[:, None, None]


def _mean(weight: Tensor, x_btf: Tensor) -> Tensor:
    """`(batch, 1, mels)`, over each clip's valid frames."""
    return torch.bmm(weight[:, None, :], x_btf)


# --- noise -------------------------------------------------------------------------------


def _with_noise(
    x_btf: Tensor, ratio: np.ndarray, tilt: np.ndarray, place: np.ndarray, weight: Tensor
) -> Tensor:
    """Add coloured noise with `ratio` times a clip's power.

    The power of stationary noise in one frame and band is a mean of about k periodogram bins,
    which is gamma distributed with relative variance 1/k; bands widen with frequency, so k grows.
    An exponential draw pulled towards its mean has the same mean and variance and costs far less
    than a gamma draw. One long recording of such draws serves all clips, each from a place of its
    own, as recordings of background noise do.
    """
    count, time, mels = x_btf.shape
    recording = _recording(1 << max(20, (2 * time * mels - 1).bit_length()))
    starts = _integers(place, 0, len(recording) - time * mels)
    windows = np.lib.stride_tricks.sliding_window_view(recording, time * mels)
    cells = torch.from_numpy(windows[starts]).view(count, time, mels)

    position, bins = _bands(mels)
    spectrum = np.exp(tilt[:, None] * position) * bins
    spectrum /= spectrum.sum(axis=1, keepdims=True)
    power = _exp(x_btf)
    signal = _mean(weight, power).sum((1, 2)).numpy()
    level = ((signal * ratio)[:, None] * spectrum)[:, None].astype(np.float32)
    spread = 1 / np.sqrt(bins, dtype=np.float32)
    power.addcmul_(cells, torch.from_numpy(level * spread))
    power += torch.from_numpy(level * (1 - spread))
    return _log(power)


@functools.cache
def _recording(cells: int) -> np.ndarray:
    return np.random.default_rng(0).standard_exponential(cells, dtype=np.float32)


@functools.cache
def _bands(mels: int) -> tuple[np.ndarray, np.ndarray]:
    """Place of each band from 0 to 1, and about how many FFT bins feed it."""
    position = np.linspace(0, 1, mels)
    return position, 1 + 7 * position**2


def _exp(x: Tensor) -> Tensor:
    return torch.add(_LOG_ZERO, x, alpha=_LOG_SCALE).to(torch.int32).view(torch.float32)


def _log(x: Tensor) -> Tensor:
    return x.view(torch.int32).to(torch.float32).sub_(_LOG_ZERO).mul_(1 / _LOG_SCALE)


# --- masks -------------------------------------------------------------------------------


def _mask(
    x_btf: Tensor, config: SpecAugment, draws: np.ndarray, lengths: np.ndarray, weight: Tensor
) -> None:
    """Hide stripes of frequency and time (Park et al. 2019) under the clip's mean per band."""
    _, time, mels = x_btf.shape
    draws = draws.reshape(-1, 2, x_btf.shape[0])
    bands = _stripes(draws[: config.frequency_masks], config.frequency_width, mels, mels)
    frames = _stripes(draws[config.frequency_masks :], config.time_width, time, lengths)
    mean, out = _mean(weight, x_btf).numpy()[:, 0], x_btf.numpy()
    # Cell by cell: a mask as large as the batch would cost more than what is under it.
    clip, frame = np.nonzero(frames)
    out[clip, frame] = mean[clip]
    clip, band = np.nonzero(bands)
    out[clip, :, band] = mean[clip, band][:, None]


def _stripes(draws: np.ndarray, width: int, size: int, limits: int | np.ndarray) -> np.ndarray:
    """`(batch, size)`, true under any of the masks, which end before `limits`."""
    widths = np.minimum(_integers(draws[:, 0], 0, width), limits)
    starts = _integers(draws[:, 1], 0, limits - widths)
    axis = np.arange(size)
    under = (axis >= starts[..., None]) & (axis < (starts + widths)[..., None])
    covered: np.ndarray = under.any(axis=0)
    return covered
