import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.config import Augment, SpecAugment
from gatewise.training import augmentation

STEP = 0.02


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def drawn(config: Augment, lengths: np.ndarray, seed: int = 0) -> augmentation.Changes:
    return augmentation.draw(config, generator(seed), lengths, 40, STEP)


def changed(
    batch: np.ndarray, config: Augment, seed: int = 0, lengths: np.ndarray | None = None
) -> np.ndarray:
    if lengths is None:
        lengths = np.full(len(batch), batch.shape[1])
    clips, frames, mels = batch.shape
    starts = np.arange(clips) * frames
    return augmentation.augment(
        batch.reshape(-1, mels), starts, lengths, drawn(config, lengths, seed)
    )


@pytest.fixture
def batch() -> np.ndarray:
    return generator(5).normal(-4, 2, (16, 50, 40)).astype(np.float32)


FULL = Augment(time_shift=0.1, noise_snr_db=(5, 30), gain_db=(-6, 6), spec_augment=SpecAugment())


def test_equal_state_gives_equal_result(batch: np.ndarray) -> None:
    first, again, other = (changed(batch, FULL, seed) for seed in (3, 3, 4))
    assert first.dtype == np.float32
    assert first.tobytes() == again.tobytes() != other.tobytes()
    assert np.isfinite(first).all()


def test_what_may_change_does_not_move_the_other_draws() -> None:
    lengths = np.full(16, 50)
    shift_alone = drawn(Augment(time_shift=0.1), lengths)
    everything = drawn(FULL, lengths)
    assert shift_alone.shift.tolist() == everything.shift.tolist()
    assert np.array_equal(shift_alone.tilt, everything.tilt)
    assert np.array_equal(shift_alone.place, everything.place)
    assert not shift_alone.noise.any()
    assert everything.noise.any()


def test_rows_keep_their_changes() -> None:
    lengths = generator().integers(20, 50, 30)
    every, rows = drawn(FULL, lengths), np.array([7, 3, 29])
    for part, whole in zip(every.of(rows), every, strict=True):
        assert np.array_equal(part, whole[rows])


def test_shifts_are_whole_frames_within_their_range() -> None:
    shift = drawn(Augment(time_shift=0.1), np.full(500, 50)).shift
    assert set(shift.tolist()) == set(range(-5, 6))
    assert np.bincount(shift + 5).min() > 500 / 11 / 2


def test_gain_scales_what_is_above_silence(batch: np.ndarray) -> None:
    config = Augment(gain_db=(-6, 6))
    gain = drawn(config, np.full(16, 50)).gain[:, None, None]
    out = changed(batch, config)
    assert np.abs(gain).max() <= 0.6 * np.log(10)
    assert gain.min() < -0.2 * np.log(10)
    assert gain.max() > 0.2 * np.log(10)
    silence = np.exp(augmentation.SILENCE) * np.maximum(1 - np.exp(gain), 0)
    assert out == pytest.approx(np.log(np.exp(batch + gain) + silence), abs=0.06)
    nothing = np.full_like(batch, augmentation.SILENCE)
    assert changed(nothing, config) == pytest.approx(nothing + np.maximum(gain, 0), abs=0.06)


def plainly(clip: np.ndarray, changes: augmentation.Changes, row: int) -> np.ndarray:
    """One clip changed as the definition says, without any trick."""
    frames, mels = clip.shape
    shift, gain, noise, tilt, place, bands, stretches = (part[row] for part in changes)
    moved = np.full((frames, mels), augmentation.SILENCE)
    kept = max(frames - abs(shift), 0)
    moved[max(shift, 0) :][:kept] = clip[max(-shift, 0) :][:kept]
    power = np.exp(moved + gain)
    recording, position, bins = augmentation._recording(1 << 14, mels)
    spectrum = np.exp(tilt * position) * bins
    spectrum *= noise / spectrum.sum() * power.sum(axis=1).mean()
    power += recording[place : place + frames] * spectrum
    power += np.exp(augmentation.SILENCE) * max(1 - np.exp(gain), 0)
    out = np.log(power)
    mean = out.mean(axis=0)
    for start, stop in stretches.T:
        out[start:stop] = mean
    for start, stop in bands.T:
        out[:, start:stop] = mean[start:stop]
    return out


@settings(deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=5), st.integers(0, 99))
def test_equals_the_definition(lengths: list[int], seed: int) -> None:
    sequences = generator(seed).normal(-4, 2, (sum(lengths), 40)).astype(np.float32)
    frames = np.array(lengths)
    starts = np.cumsum(frames) - frames
    changes = drawn(FULL, frames, seed)
    found = augmentation.augment(sequences, starts, frames, changes)
    assert found.shape == (len(frames), frames.max(), 40)
    for row, (start, length) in enumerate(zip(starts, frames, strict=True)):
        clip = sequences[start : start + length]
        # Sums of powers are right to 0.26 dB.
        assert found[row, :length] == pytest.approx(plainly(clip, changes, row), abs=0.061)
        assert not found[row, length:].any()


@given(st.floats(-14, 30), st.floats(-14, 30))
def test_sums_of_powers_are_right_to_a_quarter_decibel(first: float, second: float) -> None:
    none = np.float32(0)
    bits = np.array([augmentation._exp(np.float32(x), none) for x in (first, second)], np.int32)
    total = bits.view(np.float32).sum(keepdims=True)
    assert augmentation._log(total.view(np.int32)[0]) == pytest.approx(
        np.logaddexp(first, second), abs=0.06
    )
    assert augmentation._log(bits[0]) == pytest.approx(first, abs=1e-5)


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
def test_noise_has_the_power_asked_for(batch: np.ndarray, snr_db: float) -> None:
    config = Augment(noise_snr_db=(snr_db, snr_db), noise_probability=1)
    out = changed(batch, config).astype(np.float64)
    noise = (np.exp(out) - np.exp(batch)).sum(axis=(1, 2))
    found = 10 * np.log10(np.exp(batch.astype(np.float64)).sum(axis=(1, 2)) / noise)
    assert found == pytest.approx(np.full(16, snr_db), abs=0.5)
    assert (out >= batch - 1e-5).all()


def test_noise_spares_the_share_it_should(batch: np.ndarray) -> None:
    many = np.repeat(batch, 50, axis=0)
    out = changed(many, Augment(noise_snr_db=(0, 0), noise_probability=0.3))
    touched = (np.abs(out - many) > 1e-3).any(axis=(1, 2)).mean()
    assert touched == pytest.approx(0.3, abs=0.06)


def test_masks_are_stripes_under_the_clips_mean(batch: np.ndarray) -> None:
    config = Augment(spec_augment=SpecAugment(frequency_width=6, time_width=8))
    out = changed(batch, config)
    hidden = out != batch
    bands, frames = hidden.all(axis=1).sum(axis=1), hidden.all(axis=2).sum(axis=1)
    assert bands.max() == 6
    assert 6 <= frames.max() <= 8
    clip = int(bands.argmax())
    band = int(hidden[clip].all(axis=0).argmax())
    assert out[clip, :, band] == pytest.approx(np.full(50, batch[clip, :, band].mean()), abs=1e-5)


def test_lengths_keep_padding_out_of_statistics(batch: np.ndarray) -> None:
    lengths = np.full(16, 30)
    loud = batch.copy()
    loud[:, 30:] = 20
    quiet = batch.copy()
    quiet[:, 30:] = -13
    first, second = (changed(x, FULL, lengths=lengths) for x in (loud, quiet))
    assert np.allclose(first[:, :30], second[:, :30])
