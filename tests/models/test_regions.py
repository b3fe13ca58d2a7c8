"""The convolutional network that makes regions of images, against torch's own convolutions."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from gatewise.models.regions import RegionEncoder, Regions

SIDES = st.integers(1, 70)


@settings(deadline=None)  # the first compiles
@given(SIDES, SIDES, st.sampled_from([1, 3]))
def test_its_size_on_paper_is_what_comes_out(height, width, channels):
    regions = Regions(height, width, channels)
    encoder = RegionEncoder(regions)
    assert sum(p.numel() for p in encoder.parameters()) == regions.parameters
    made, summary = encoder(torch.zeros(height, 2, width * channels))
    assert made.shape == (2, regions.count, regions.features)
    assert summary.shape == (2, regions.SUMMARY)
    assert max(regions.grids[-1]) <= Regions.SIDE
    assert made.shape[1] == regions.grids[-1][0] * regions.grids[-1][1]


def test_scenes_and_photographs_have_few_regions():
    assert Regions(36, 36, 3).grids == [(18, 18), (9, 9), (5, 5), (5, 5)]
    assert Regions(36, 36, 3).widths == [3, 16, 32, 64, 64]
    assert Regions(224, 224, 3).count == 16
    assert Regions(4, 4, 1).count == 4


@pytest.mark.parametrize(("height", "width"), [(14, 14), (9, 13), (7, 8), (1, 5)])
def test_layers_are_convolutions_of_stride_two_and_a_last_one_of_stride_one(height, width):
    torch.manual_seed(0)
    regions = Regions(height, width, 2)
    encoder = RegionEncoder(regions)
    x_bchw = torch.randn(3, 2, height, width)
    expected = x_bchw
    for number, (layer, (into, out)) in enumerate(zip(encoder.layers, regions.shapes, strict=True)):
        apart = 1 if number == len(regions.shapes) - 1 else 2
        weight = layer.weight.view(out, 3, 3, into // 9).permute(0, 3, 1, 2)
        rows, columns = expected.shape[-2:]
        above, left = (2 if apart == 1 or side % 2 else 1 for side in (rows, columns))
        around = (left // 2, left - left // 2, above // 2, above - above // 2)
        padded = functional.pad(expected, around)
        expected = functional.conv2d(padded, weight, layer.bias, stride=apart).relu()
    x_tbf = x_bchw.permute(2, 0, 3, 1).reshape(height, 3, -1)
    made = encoder(x_tbf)[0].transpose(1, 2).reshape(expected.shape)
    torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-5)


def test_multiply_accumulates_are_those_of_its_products():
    regions = Regions(36, 36, 3)
    layers = 18 * 18 * 27 * 16 + 81 * 144 * 32 + 25 * 288 * 64 + 25 * 576 * 64
    assert regions.macs == layers + 25 * 64 * regions.SUMMARY
