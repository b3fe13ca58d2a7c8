"""Waveforms to sequences of feature vectors (torchaudio)."""

from __future__ import annotations

import functools

import numpy as np
import torch
import torchaudio

from gatewise.config import LogMel, Mfcc, Spectral
from gatewise.data.frontends import rates

FLOOR = 1e-6
"""Added to mel powers before the logarithm: just above the power of 16-bit quantisation noise,
so that digital silence and padding look like a very quiet room."""


def to_mono(samples: np.ndarray) -> np.ndarray:
    """Mean over channels: `(samples, channels)` or `(samples,)` to float32 `(samples,)`."""
    samples = samples.astype(np.float32, copy=False)
    if samples.ndim == 1:
        return samples
    return samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float32)


class FrontEnd:
    """Resampling, cropping and the spectral features of one task.

    Log-mels are natural logarithms of power and are not normalised: augmentation adds noise
    to them in the power domain, and normalisation is the model's first layer.
    """

    def __init__(self, config: LogMel | Mfcc) -> None:
        self.config = config
        mel = {
            "n_fft": config.n_fft,
            "win_length": config.win_length or config.n_fft,
            "hop_length": config.hop_length,
            "n_mels": config.n_mels,
        }
        self._mel = torchaudio.transforms.MelSpectrogram(config.sample_rate, **mel)
        self._mfcc: torch.nn.Module | None = None
        if isinstance(config, Mfcc):
            self._mfcc = torchaudio.transforms.MFCC(
                config.sample_rate, n_mfcc=config.n_mfcc, melkwargs=mel
            )

    @property
    def features(self) -> int:
        """Features per step."""
        return self.config.n_mfcc if isinstance(self.config, Mfcc) else self.config.n_mels

    @property
    def step_seconds(self) -> float:
        """Duration of one step."""
        return self.config.hop_length / self.config.sample_rate

    @property
    def shortest_seconds(self) -> float:
        """One window: a shorter clip is mostly padding."""
        return (self.config.win_length or self.config.n_fft) / self.config.sample_rate

    def check_rate(self, rate: int) -> None:
        """Refuse a rate in Hz that cannot be brought to the task's at a sane cost.

        Raises:
            Unusable: naming a rate that will do.
        """
        rates.require(rate, self.config.sample_rate)

    def clip(self, samples: np.ndarray, rate: int) -> torch.Tensor:
        """One clip made ready: mono, resampled, cropped or padded.

        Args:
            samples: float `(samples,)` or `(samples, channels)` in [-1, 1].
            rate: its sample rate in Hz.

        Returns:
            float32 `(samples,)` at the task's rate. With `seconds`, longer clips lose as much
            at either end (or all but their loudest window), shorter ones gain as many zeros at
            either end.
        """
        return self.fitted(self.wave(samples, rate))

    def wave(self, samples: np.ndarray, rate: int) -> torch.Tensor:
        """The whole of a clip, mono and at the task's rate; arguments as for `clip`."""
        wave = torch.from_numpy(to_mono(samples))
        if rate != self.config.sample_rate:
            self.check_rate(rate)
            wave = _resampler(rate, self.config.sample_rate)(wave)
        return wave

    def fitted(self, wave: torch.Tensor) -> torch.Tensor:
        """What is kept of a whole `wave`, `(samples,)`, perhaps padded."""
        if self.config.seconds is None:
            return wave
        length = wanted_samples(self.config)
        return loudest(wave, length) if self.config.crop == "energy" else fit(wave, length)

    def __call__(self, waves: torch.Tensor) -> torch.Tensor:
        """Features of equally long clips.

        Args:
            waves: float32 `(batch, samples)` at the task's rate.

        Returns:
            float32 `(batch, time, features)` with `time = 1 + samples // hop_length`.
        """
        # The transforms pad by reflection, which needs more samples than half a window.
        shortest = self.config.n_fft // 2 + 1
        if waves.shape[-1] < shortest:
            waves = torch.nn.functional.pad(waves, (0, shortest - waves.shape[-1]))
        with torch.inference_mode():
            if self._mfcc is not None:
                # A channel axis of one: torchaudio clamps decibels against the loudest cell of
                # all channels, and without the axis it takes the batch for channels.
                mfcc: torch.Tensor = self._mfcc(waves[:, None])
                return mfcc[:, 0].transpose(1, 2).contiguous()
            return torch.log(self._mel_power(waves) + FLOOR)

    def _mel_power(self, waves: torch.Tensor) -> torch.Tensor:
        """What `MelSpectrogram` computes, `(batch, time, mels)`, without its square roots."""
        spectrum = torch.stft(
            waves,
            self._mel.n_fft,
            self._mel.hop_length,
            self._mel.win_length,
            self._mel.spectrogram.window,
            return_complex=True,
        )
        power = (spectrum.real.square() + spectrum.imag.square()).transpose(1, 2)
        # Clip by clip and by OpenBLAS: what a clip becomes must not hang on those beside it, in
        # preparation or when a model is asked, and MKL's sums do.
        return torch.from_numpy(np.matmul(power.numpy(), self._mel.mel_scale.fb.numpy()))


def wanted_samples(config: Spectral) -> int:
    """Samples of a clip of `config.seconds`."""
    if config.seconds is None:
        raise ValueError("clips keep their own length")
    return round(config.seconds * config.sample_rate)


def fit(wave: torch.Tensor, length: int) -> torch.Tensor:
    """Crop or zero-pad the last axis around its middle to `length`."""
    surplus = wave.shape[-1] - length
    if surplus >= 0:
        start = surplus // 2
        return wave[..., start : start + length]
    before = -surplus // 2
    return torch.nn.functional.pad(wave, (before, -surplus - before))


def loudest(wave: torch.Tensor, length: int) -> torch.Tensor:
    """The window of `length` samples with the most energy; of equal ones that nearest the middle.

    A shorter `wave` is padded as `fit` does.
    """
    surplus = len(wave) - length
    if surplus <= 0:
        return fit(wave, length)
    power = np.square(wave.numpy(), dtype=np.float64)
    total = np.concatenate([[0.0], np.cumsum(power)])
    energy = total[length:] - total[:-length]
    best = np.flatnonzero(energy >= energy.max() * (1 - 1e-9))
    start = int(best[np.abs(best - surplus // 2).argmin()])
    return wave[start : start + length]


@functools.lru_cache(maxsize=8)  # at most 16 MB each (`rates.LARGEST_KERNEL`)
def _resampler(source: int, target: int) -> torchaudio.transforms.Resample:
    return torchaudio.transforms.Resample(source, target)
