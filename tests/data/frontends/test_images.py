"""Image files to sequences of pixels."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gatewise.config import Pixels
from gatewise.data.frontends import images
from gatewise.data.frontends.decoding import Unusable
from gatewise.data.frontends.images import averaged, checked, decode, header, sequence
from tests.pictures import encoded, stroke

SIDES = st.integers(1, 12)


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_give_the_same_pixels_and_content(form):
    pixels = stroke(True, side=9)[:, :7]
    picture = decode(encoded(pixels, form))
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.content == checked(pixels).content
    assert header(encoded(pixels, form)) == 63


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_lossy_formats_are_nearly_the_same(form):
    pixels = np.full((16, 16, 3), (200, 30, 90), np.uint8)
    assert np.abs(decode(encoded(pixels, form)).pixels.astype(int) - pixels).max() < 8


def test_grey_in_colours_is_grey_and_paper_shows_through():
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    in_colours = np.repeat(grey[..., None], 3, axis=2)
    assert decode(encoded(in_colours)).content == decode(encoded(grey)).content
    clear = np.zeros((4, 4, 4), np.uint8)
    clear[0] = (10, 20, 30, 255)
    seen = decode(encoded(clear)).pixels
    assert seen[0, 0].tolist() == [10, 20, 30]
    assert (seen[1:] == 255).all()


def test_deep_grey_palettes_and_single_bits_are_read():
    deep = (np.arange(16, dtype=np.uint16) * 4096).reshape(4, 4)
    assert decode(encoded(deep)).pixels[..., 0].tolist() == (deep >> 8).tolist()
    bits = Image.fromarray(np.eye(4, dtype=np.uint8) * 255).convert("1")
    for image, form in ((bits, "PNG"), (bits.convert("P"), "GIF")):
        file = io.BytesIO()
        image.save(file, form)
        assert decode(file.getvalue()).pixels[..., 0].tolist() == (np.eye(4) * 255).tolist()


def test_photographs_stand_upright():
    pixels = np.zeros((4, 8, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    assert decode(encoded(pixels + 7, "TIFF", exif=exif)).pixels.shape[:2] == (8, 4)


def test_several_pictures_in_one_file_are_refused():
    frames = [Image.fromarray(stroke(True, number)) for number in range(3)]
    for form, said in (("GIF", "3 pictures, an animation"), ("TIFF", "3 pages")):
        file = io.BytesIO()
        frames[0].save(file, form, save_all=True, append_images=frames[1:])
        with pytest.raises(Unusable, match=said):
            decode(file.getvalue())


def test_what_is_no_image_is_said_in_a_sentence(monkeypatch):
    whole = encoded(stroke(True, side=40))
    with pytest.raises(Unusable, match="empty file"):
        decode(b"")
    for data in (b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"PK"):
        with pytest.raises(Unusable, match="no image that can be decoded"):
            decode(data)
        assert header(data) == 0
    with pytest.raises(Unusable, match=r"broken image \(.*\); save it anew"):
        decode(whole[: len(whole) // 2])
    floats = io.BytesIO()
    Image.fromarray(np.zeros((3, 3), np.float32)).save(floats, "TIFF")
    with pytest.raises(Unusable, match="32 bits a channel"):
        decode(floats.getvalue())
    monkeypatch.setattr(images, "MOST_PIXELS", 1_000)
    with pytest.raises(Unusable, match=r"40 x 40 pixels; at most 1,000 are taken"):
        decode(whole)


def test_a_file_that_promises_billions_of_pixels_is_not_unpacked():
    png = bytearray(encoded(np.zeros((1, 1), np.uint8)))
    png[16:24] = (60_000).to_bytes(4) * 2
    import zlib

    png[29:33] = zlib.crc32(bytes(png[12:29])).to_bytes(4)
    with pytest.raises(Unusable, match="make it smaller"):
        decode(bytes(png))


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 200))
def test_damaged_files_are_refused_or_read_but_nothing_else(seed, place):
    data = bytearray(encoded(stroke(True)))
    data[place % len(data)] = seed % 256
    with contextlib.suppress(Unusable):
        assert decode(bytes(data)).pixels.dtype == np.uint8


def test_averaging_by_whole_numbers_is_a_mean_of_blocks():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 12, 3)).astype(np.uint8)
    blocks = pixels.reshape(4, 2, 3, 4, 3).mean(axis=(1, 3))
    np.testing.assert_array_equal(averaged(pixels, 4, 3), np.floor(blocks + 0.5))
    assert averaged(pixels, 8, 12) is pixels


@settings(deadline=None)
@given(SIDES, SIDES, SIDES, SIDES)
def test_averaging_keeps_the_mean_and_what_is_even(rows, columns, height, width):
    pixels = np.random.default_rng(rows).integers(0, 256, (rows, columns, 1)).astype(np.uint8)
    made = averaged(pixels, height, width)
    assert made.shape == (height, width, 1)
    assert abs(made.mean() - pixels.mean()) <= 0.5 + 1e-6
    even = np.full((rows, columns, 1), 77, np.uint8)
    assert (averaged(even, height, width) == 77).all()


def test_large_images_are_averaged_piece_by_piece():
    pixels = np.random.default_rng(0).integers(0, 256, (600, 30, 1)).astype(np.uint8)
    whole = pixels.reshape(3, 200, 3, 10, 1).mean(axis=(1, 3))
    np.testing.assert_array_equal(averaged(pixels, 3, 3), np.floor(whole + 0.5))


def test_steps_are_rows_or_pixels_in_reading_order():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    rows = Pixels(kind="image", height=2, width=4)
    single = rows.model_copy(update={"scan": "pixels"})
    assert sequence(checked(pixels), rows).tolist() == pixels.reshape(2, 12).tolist()
    assert sequence(checked(pixels), single).tolist() == pixels.reshape(8, 3).tolist()
    assert (single.steps, single.features) == (8, 3)
    grey = rows.model_copy(update={"channels": 1})
    luma = pixels @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(sequence(checked(pixels), grey), luma, atol=1)
    flat = checked(pixels[..., 0])
    assert (sequence(flat, rows).reshape(2, 4, 3) == pixels[..., :1]).all()


def test_flaws_of_images_that_can_be_used():
    flat = checked(np.full((40, 10), 9, np.uint8))
    assert flat.flaws(20, 20) == ["one colour only", "smaller than asked for", "much distorted"]
    assert checked(stroke(True)).flaws(6, 6) == []


def test_a_scan_that_never_ends_is_refused():
    with pytest.raises(ValueError, match=r"1,048,576 steps; at most 100,000"):
        Pixels(kind="image", height=1024, width=1024, scan="pixels")
