import numpy as np
import pytest
import torch

from gatewise.data.frontends.decoding import Clip
from gatewise.data.preparation import losses
from tests import sounds


def of(samples: np.ndarray, kept: slice = slice(None)) -> list[str]:
    clip = Clip(samples.astype(np.float32), sounds.RATE)
    whole = torch.from_numpy(clip.samples.mean(axis=1))
    return losses.of_clip(clip, whole, whole[kept])


@pytest.mark.parametrize(
    ("left", "found"),
    [(-1.0, ["cancels in the mix"]), (-0.9, ["cancels in the mix"]), (0.0, []), (1.0, [])],
)
def test_channels_of_opposite_phase_cancel(left: float, found: list[str]) -> None:
    right = sounds.noise(1)
    assert of(np.concatenate([left * right, right], axis=1)) == found


def test_what_cropping_takes_is_told_by_its_energy() -> None:
    word = np.zeros((4_000, 1))
    word[100:600] = sounds.noise(1, 500)
    assert of(word, slice(1_500, 2_500)) == ["mostly cropped away"]
    assert of(word, slice(150, 1_150)) == ["cropped"]
    assert of(word, slice(0, 1_000)) == []
    assert of(np.zeros((4_000, 1)), slice(0, 10)) == []


def test_one_clip_of_minutes_among_seconds() -> None:
    assert losses.far_longer([0, 50, 60, 40, 30_000, 55]) == [4]
    assert losses.far_longer([0, 0]) == []
