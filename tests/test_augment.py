import numpy as np
import pytest

from gatewise.augment import augment
from gatewise.config import Augment, SpecAugment
from gatewise.features import FLOOR

STEP = 0.02


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture
def batch() -> np.ndarray:
    return generator(5).normal(-4, 2, (16, 50, 40)).astype(np.float32)


FULL = Augment(time_shift=0.1, noise_snr_db=(5, 30), gain_db=(-6, 6), spec_augment=SpecAugment())


def test_equal_state_gives_equal_result_and_leaves_the_input_alone(batch: np.ndarray) -> None:
    before = batch.copy()
    first, again = (augment(batch, FULL, generator(3), STEP) for _ in range(2))
    other = augment(batch, FULL, generator(4), STEP)
    assert first.dtype == np.float32
    assert first.tobytes() == again.tobytes() != other.tobytes()
    assert before.tobytes() == batch.tobytes()
    assert np.isfinite(first).all()


def test_draws_depend_on_shapes_alone(batch: np.ndarray) -> None:
    states = []
    for values in (batch, batch * 0 - 13):
        stream = generator()
        augment(values, FULL, stream, STEP)
        states.append(stream.bit_generator.state)
    assert states[0] == states[1]


def test_shift_moves_whole_frames_and_brings_in_silence(batch: np.ndarray) -> None:
    out = augment(batch, Augment(time_shift=0.1), generator(), STEP)
    shifts = set()
    for before, after in zip(batch, out, strict=True):
        fits = [
            shift
            for shift in range(-5, 6)
            if np.array_equal(
                after[max(shift, 0) : 50 + shift], before[max(-shift, 0) : 50 - shift]
            )
        ]
        (shift,) = fits
        new = after[:shift] if shift > 0 else after[50 + shift :]
        assert np.allclose(new, np.log(FLOOR))
        shifts.add(shift)
    assert len(shifts) > 4


def test_gain_is_an_offset_within_its_range(batch: np.ndarray) -> None:
    out = augment(batch, Augment(gain_db=(-6, 6)), generator(), STEP)
    decibels = (out - batch) * 10 / np.log(10)
    assert np.ptp(decibels, axis=(1, 2)).max() < 1e-3
    assert -6 <= decibels.min() < -2
    assert 2 < decibels.max() <= 6


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
def test_noise_has_the_power_asked_for(batch: np.ndarray, snr_db: float) -> None:
    config = Augment(noise_snr_db=(snr_db, snr_db), noise_probability=1)
    out = augment(batch, config, generator(), STEP).astype(np.float64)
    noise = (np.exp(out) - np.exp(batch)).sum(axis=(1, 2))
    found = 10 * np.log10(np.exp(batch.astype(np.float64)).sum(axis=(1, 2)) / noise)
    assert found == pytest.approx(np.full(16, snr_db), abs=0.5)
    assert (out >= batch - 1e-5).all()


def test_noise_spares_the_share_it_should(batch: np.ndarray) -> None:
    many = np.repeat(batch, 50, axis=0)
    out = augment(many, Augment(noise_snr_db=(0, 0), noise_probability=0.3), generator(), STEP)
    touched = (np.abs(out - many) > 1e-3).any(axis=(1, 2)).mean()
    assert touched == pytest.approx(0.3, abs=0.06)


def test_masks_are_stripes_under_the_clips_mean(batch: np.ndarray) -> None:
    config = Augment(spec_augment=SpecAugment(frequency_width=6, time_width=8))
    out = augment(batch, config, generator(), STEP)
    changed = out != batch
    bands, frames = changed.all(axis=1).sum(axis=1), changed.all(axis=2).sum(axis=1)
    assert bands.max() == 6
    assert 6 <= frames.max() <= 8
    clip = int(bands.argmax())
    band = int(changed[clip].all(axis=0).argmax())
    assert out[clip, :, band] == pytest.approx(np.full(50, batch[clip, :, band].mean()), abs=1e-5)


def test_lengths_keep_padding_out_of_statistics(batch: np.ndarray) -> None:
    lengths = np.full(16, 30)
    loud = batch.copy()
    loud[:, 30:] = 20
    quiet = batch.copy()
    quiet[:, 30:] = -13
    first, second = (augment(x, FULL, generator(), STEP, lengths) for x in (loud, quiet))
    assert np.allclose(first[:, :30], second[:, :30])
