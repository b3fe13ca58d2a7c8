import numpy as np
import pytest
import torch

from gatewise.config import Augment, SpecAugment
from gatewise.training.augmentation import SILENCE
from gatewise.training.datamodule import ShuffledBuckets, TaskData, in_length_order
from tests.pictures import classified
from tests.tasks import write_task


@pytest.fixture(params=[False, True], ids=["frames", "text"])
def data(request, tmp_path):
    return TaskData(write_task(tmp_path, text=request.param), 0, 16, None)


def clips(folder):
    """A task with the frames of a recording, which can be augmented."""
    prepared = write_task(folder)
    card = prepared.card.model_copy(update={"step_seconds": 0.02})
    return type(prepared)(card, prepared.sequences, prepared.index)


def rows_of(addresses):
    return np.concatenate([address.rows for address in addresses])


def test_an_epoch_shows_every_training_example_once(data):
    order = data.train_dataloader().sampler
    seen = rows_of(order)
    assert sorted(seen) == sorted(data.rows["train"])
    assert len(list(order)) == len(order)


def test_epochs_differ_and_repeat_exactly(data):
    order = data.train_dataloader().sampler
    first = [tuple(a.rows) for a in order]
    order.set_epoch(1)
    second = [tuple(a.rows) for a in order]
    assert first != second
    order.set_epoch(0)
    assert [tuple(a.rows) for a in order] == first


def test_batches_hold_similar_lengths():
    lengths = np.random.default_rng(0).integers(1, 100, 4000)
    order = ShuffledBuckets(np.arange(4000), lengths, 16, 0)
    spread = [np.ptp(lengths[a.rows]) for a in order]
    assert np.mean(spread) < 5
    means = [lengths[a.rows].mean() for a in order]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.3, "batches come by length"


def test_batches_are_padded_with_zeros_and_hold_the_sequences(data):
    prepared = data.prepared
    for address, batch in zip(
        data.train_dataloader().sampler, data.train_dataloader(), strict=True
    ):
        assert batch.inputs.shape[1] == batch.lengths.max()
        assert batch.inputs.dtype == (torch.int64 if batch.inputs.ndim == 2 else torch.float32)
        for row, inputs, length, label in zip(address.rows, *batch[:3], strict=True):
            at = prepared.index.iloc[row]
            stored = prepared.sequences[at["start"] : at["start"] + at["length"]]
            np.testing.assert_array_equal(inputs[:length].numpy(), stored)
            assert not inputs[length:].any()
            assert int(label) == at["label"]


def test_evaluation_covers_each_split_in_the_stated_order(data):
    for split, rows in data.rows.items():
        labels = torch.cat([batch.targets for batch in data.evaluation_dataloader(split)])
        stated = data.evaluation_rows(split)
        np.testing.assert_array_equal(labels, data.prepared.index["label"].to_numpy()[stated])
        assert sorted(stated) == sorted(rows)
    addresses = in_length_order(np.arange(5), np.array([3, 1, 2, 9, 4]), 2)
    assert [list(a.rows) for a in addresses] == [[1, 2], [0, 4], [3]]


def test_input_statistics_see_the_training_split_only(tmp_path):
    prepared = write_task(tmp_path)
    data = TaskData(prepared, 0, 16, None)
    steps = np.concatenate(
        [
            prepared.sequences[s : s + n]
            for s, n in prepared.index.loc[data.rows["train"], ["start", "length"]].to_numpy()
        ]
    )
    mean, deviation = data.input_statistics()
    np.testing.assert_allclose(mean, steps.mean(0), rtol=1e-5)
    np.testing.assert_allclose(deviation, steps.std(0), rtol=1e-4)


def test_a_shift_moves_whole_frames_and_brings_in_silence(tmp_path):
    prepared = clips(tmp_path)
    shifted, plain = (TaskData(prepared, 0, 16, a) for a in (Augment(time_shift=0.04), None))
    shifts = set()
    for changed, clean in zip(shifted.train_dataloader(), plain.train_dataloader(), strict=True):
        for row, length in enumerate(clean.lengths.tolist()):
            before, after = clean.inputs[row, :length], changed.inputs[row, :length]
            (shift,) = (
                by
                for by in range(-2, 3)
                if torch.equal(after[max(by, 0) : length + by], before[max(-by, 0) : length - by])
            )
            new = after[:shift] if shift > 0 else after[length + shift :]
            assert torch.allclose(new, torch.tensor(SILENCE))
            assert not changed.inputs[row, length:].any()
            shifts.add(shift)
    assert shifts == set(range(-2, 3))


def test_augmentation_changes_training_alone_and_repeats(tmp_path):
    prepared = clips(tmp_path)
    augment = Augment(time_shift=0.04, spec_augment=SpecAugment(frequency_width=2, time_width=2))
    augmented, again, plain = (TaskData(prepared, 0, 16, a) for a in (augment, augment, None))
    pairs = list(zip(*(d.train_dataloader() for d in (augmented, again, plain)), strict=True))
    assert all(torch.equal(a.inputs, b.inputs) for a, b, _ in pairs)
    assert any(not torch.equal(a.inputs, c.inputs) for a, _, c in pairs)
    assert all(torch.equal(a.targets, c.targets) for a, _, c in pairs)
    for ours, theirs in zip(
        augmented.evaluation_dataloader("test"), plain.evaluation_dataloader("test"), strict=True
    ):
        assert torch.equal(ours.inputs, theirs.inputs)


def test_an_example_changes_alike_in_batches_of_any_size(tmp_path):
    prepared = clips(tmp_path)
    augment = Augment(time_shift=0.04, noise_snr_db=(0, 10), gain_db=(-6, 6))
    longest = int(prepared.index["length"].max())
    found = []
    for size in (4, 64):
        loader = TaskData(prepared, 0, size, augment).train_dataloader()
        clip = {}
        for address, batch in zip(loader.sampler, loader, strict=True):
            for row, inputs in zip(address.rows, batch.inputs, strict=True):
                clip[row] = torch.nn.functional.pad(inputs, (0, 0, 0, longest - len(inputs)))
        found.append(torch.stack([clip[row] for row in sorted(clip)]))
    assert torch.equal(*found)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_standardised_by_channel(tmp_path, channels):
    prepared = classified(tmp_path, height=6, width=5, channels=channels, normalise="train")
    data = TaskData(prepared, 0, 16)
    rows = [prepared.sequences[6 * row : 6 * row + 6] for row in data.rows["train"]]
    pixels = np.stack(rows).reshape(-1, channels) / 255
    mean, deviation = data.input_statistics()
    assert mean.shape == deviation.shape == (5 * channels,)
    np.testing.assert_allclose(mean, np.tile(pixels.mean(0), 5), rtol=1e-5)
    np.testing.assert_allclose(deviation, np.tile(pixels.std(0), 5), rtol=1e-4)
