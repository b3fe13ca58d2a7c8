"""Random changes to training batches of log-mels.

They act on the log-mels, not on the waveforms: a step then costs microseconds, and the same
prepared arrays serve every seed. Gain is an offset, a time shift moves whole frames, and noise
is added as power, `log(exp(x) + n)`, which is what adding independent noise to the waveform
does to the expected power of each cell.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from gatewise.config import Augment, SpecAugment
from gatewise.features import FLOOR

_LOG_FLOOR = math.log(FLOOR)
_DECIBEL = math.log(10) / 10  # natural logarithm of power per dB
_EXPONENTIAL = -np.log1p(-(np.arange(256, dtype=np.float32) + 0.5) / 256)
_EXPONENTIAL /= _EXPONENTIAL.mean()  # quantiles, so the mean is short of 1 by the tail


def augment(
    batch: np.ndarray,
    config: Augment,
    generator: np.random.Generator,
    step_seconds: float,
    lengths: np.ndarray | None = None,
) -> np.ndarray:
    """Change every clip of a batch at random.

    Args:
        batch: float32 `(batch, time, mels)`, log-mels as preparation stores them.
        config: what may change and by how much.
        generator: the run's `augment` stream. Equal states give equal results, and the number
            of draws depends only on the batch's shape and `config`.
        step_seconds: duration of one frame.
        lengths: `(batch,)` valid frames of each clip; all when left out. Frames beyond them
            come back unspecified.

    Returns:
        A new array of the same shape.
    """
    count, time, _ = batch.shape
    limits = np.full(count, time) if lengths is None else np.asarray(lengths)
    valid = np.arange(time) < limits[:, None]
    out = batch.astype(np.float32)  # a copy: what follows works in place
    if config.time_shift > 0:
        most = round(config.time_shift / step_seconds)
        shifts = np.asarray(generator.integers(-most, most + 1, count))
        out = _shift(out, shifts, limits)
    if config.gain_db is not None:
        out += (_uniform(generator, config.gain_db, count) * _DECIBEL)[:, None, None]
        np.maximum(out, np.float32(_LOG_FLOOR), out=out)
    if config.noise_snr_db is not None:
        snr_db = _uniform(generator, config.noise_snr_db, count)
        noisy = np.asarray(generator.random(count)) < config.noise_probability
        _add_noise(out, snr_db, noisy, valid, generator)
    if config.spec_augment is not None:
        _mask(out, config.spec_augment, limits, valid, generator)
    return out


def _uniform(generator: np.random.Generator, limits: tuple[float, float], count: int) -> np.ndarray:
    return np.asarray(generator.uniform(*limits, count), dtype=np.float32)


def _shift(batch: np.ndarray, shifts: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Move clips by whole frames; what comes in is silence."""
    source = np.arange(batch.shape[1]) - shifts[:, None]
    outside = (source < 0) | (source >= limits[:, None])
    moved = batch[np.arange(len(batch))[:, None], np.where(outside, 0, source)]
    moved[outside] = _LOG_FLOOR
    return moved


def _add_noise(
    batch: np.ndarray,
    snr_db: np.ndarray,
    noisy: np.ndarray,
    valid: np.ndarray,
    generator: np.random.Generator,
) -> None:
    """Add coloured noise at a signal-to-noise ratio over the whole clip.

    The spectrum has a random tilt. The power of stationary noise in one frame and band is a
    mean of about k periodogram bins, which is gamma distributed with relative variance 1/k;
    bands widen with frequency, so k grows. An exponential draw pulled towards its mean has the
    same mean and variance and costs far less than a gamma draw; taken from a table of its
    quantiles by a random byte, it costs less still.
    """
    count, _, mels = batch.shape
    # From -30 dB (dark) to +10 dB (bright) between the lowest and the highest band.
    tilt = _uniform(generator, (-30, 10), count) * _DECIBEL
    random = np.frombuffer(generator.bytes(batch.size), dtype=np.uint8).reshape(batch.shape)
    random, tilt, snr_db, valid = random[noisy], tilt[noisy], snr_db[noisy], valid[noisy]

    position = np.linspace(0, 1, mels, dtype=np.float32)
    bins = 1 + 7 * position**2  # about how many FFT bins feed a mel band
    spectrum = np.exp(tilt[:, None] * position) * bins
    spectrum /= spectrum.sum(axis=1, keepdims=True)
    # In torch, whose exponential and logarithm take two thirds of numpy's time.
    power = torch.from_numpy(batch[noisy]).exp_()
    signal = np.einsum("btm,bt->b", power.numpy(), valid.astype(np.float32)) / valid.sum(axis=1)
    level = (signal * 10 ** (-snr_db / 10)).astype(np.float32)[:, None] * spectrum
    spread = 1 / np.sqrt(bins)
    cells = _EXPONENTIAL.take(random)
    cells *= (level * spread)[:, None, :]
    cells += (level * (1 - spread))[:, None, :]
    batch[noisy] = power.add_(torch.from_numpy(cells)).log_().numpy()


def _mask(
    batch: np.ndarray,
    config: SpecAugment,
    limits: np.ndarray,
    valid: np.ndarray,
    generator: np.random.Generator,
) -> None:
    """Hide stripes of frequency and time (Park et al. 2019) under the clip's mean per band."""
    count, time, mels = batch.shape
    bands = np.zeros((count, mels), dtype=bool)
    frames = np.zeros((count, time), dtype=bool)
    sizes = np.full(count, mels)
    for hidden, number, width, size in (
        (bands, config.frequency_masks, config.frequency_width, sizes),
        (frames, config.time_masks, config.time_width, limits),
    ):
        axis = np.arange(hidden.shape[1])
        for _ in range(number):
            widths = np.minimum(generator.integers(0, width + 1, count), size)
            starts = np.floor(generator.random(count) * (size - widths + 1)).astype(int)
            masked = (axis >= starts[:, None]) & (axis < (starts + widths)[:, None])
            np.logical_or(hidden, masked, out=hidden)
    weight = valid.astype(np.float32) / valid.sum(axis=1, keepdims=True, dtype=np.float32)
    mean = (weight[:, None, :] @ batch)[:, 0]
    # Cell by cell: a mask as large as the batch would cost more than what is under it.
    clip, frame = np.nonzero(frames)
    batch[clip, frame] = mean[clip]
    clip, band = np.nonzero(bands)
    batch[clip, :, band] = mean[clip, band][:, None]
