import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gatewise import augment
from gatewise.config import Augment, SpecAugment

STEP = 0.02


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def changed(
    batch: np.ndarray, config: Augment, seed: int = 0, lengths: np.ndarray | None = None
) -> np.ndarray:
    changes = augment.draw(config, generator(seed), len(batch), STEP)
    if lengths is None:
        lengths = np.full(len(batch), batch.shape[1])
    return augment.augment(batch.copy(), changes, lengths)


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
    shift_alone = augment.draw(Augment(time_shift=0.1), generator(), 16, STEP)
    everything = augment.draw(FULL, generator(), 16, STEP)
    assert shift_alone.shift.tolist() == everything.shift.tolist()
    assert np.array_equal(shift_alone.draws, everything.draws[:5])


def test_shifts_are_whole_frames_within_their_range() -> None:
    shift = augment.draw(Augment(time_shift=0.1), generator(), 500, STEP).shift
    assert set(shift.tolist()) == set(range(-5, 6))
    assert np.bincount(shift + 5).min() > 500 / 11 / 2


def test_gain_is_an_offset_within_its_range(batch: np.ndarray) -> None:
    out = changed(batch, Augment(gain_db=(-6, 6)))
    decibels = (out - batch) * 10 / np.log(10)
    assert np.ptp(decibels, axis=(1, 2)).max() < 1e-3
    assert -6 <= decibels.min() < -2
    assert 2 < decibels.max() <= 6


@given(st.floats(-14, 30), st.floats(-14, 30))
def test_sums_of_powers_are_right_to_a_quarter_decibel(first: float, second: float) -> None:
    a, b = torch.tensor([first]), torch.tensor([second])
    found = float(augment._log(augment._exp(a) + augment._exp(b)))
    assert found == pytest.approx(float(torch.logaddexp(a, b)), abs=0.06)
    assert float(augment._log(augment._exp(a))) == pytest.approx(first, abs=1e-5)


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
