"""Headers that real programs write: what is there counts, and what is missing is refused."""

import struct

import numpy as np
import pytest

from gatewise.data.frontends.decoding import Unusable, decode, header
from tests import sounds

WHOLE = sounds.wav(1)
FLOATS = sounds.wav(1, subtype="FLOAT")
LIST = b"LIST" + struct.pack("<I", 6) + b"hello!"
PLACEHOLDERS = [
    *(0xFFFFFFFF, 0xFFFFFFFF - 36, 0x80000000, 0x80000000 - 44),
    *(0x7FFFFFFF, 0x7FFFFFFF - 36, 0x7FFFF000, 0x7FFFF000 - 36),
]


def promising(size: int, data: bytes = WHOLE) -> bytes:
    place = data.index(b"data") + 4
    return data[:place] + struct.pack("<I", size) + data[place + 4 :]


@pytest.mark.parametrize("data", [WHOLE, FLOATS], ids=["int16", "float"])
@pytest.mark.parametrize("size", [0, *PLACEHOLDERS])
def test_a_streamed_file_has_what_is_there(size: int, data: bytes) -> None:
    streamed = promising(size, data)
    assert np.array_equal(decode(streamed).samples, decode(data).samples)
    assert header(streamed) == header(data) == (2000, sounds.RATE)


@pytest.mark.parametrize(
    "tail",
    [
        b"_PMX" + struct.pack("<I", 12) + b"<xmpmeta/>  ",
        b"odd!" + struct.pack("<I", 3) + b"abc" + b"\0" + LIST,
        b"odd!" + struct.pack("<I", 3) + b"abc" + LIST,
        LIST[:-3],
        b"\0" * 512,
        b"TAG" + b"artist".ljust(125, b"\0"),
        b"\r\n",
        b"ID3 " + struct.pack("<I", 1 << 20) + b"cut off",
    ],
    ids=["audition", "odd-padded", "odd-bare", "cut-list", "zeros", "id3v1", "newline", "cut-id3"],
)
@pytest.mark.parametrize("data", [WHOLE, FLOATS], ids=["int16", "float"])
def test_what_programs_leave_behind_the_sound(data: bytes, tail: bytes) -> None:
    assert np.array_equal(decode(data + tail).samples, decode(data).samples)
    assert header(data + tail) == header(data)


@pytest.mark.parametrize("pad", [b"", b"\0"], ids=["bare", "padded"])
def test_an_odd_size_with_and_without_its_pad_byte(pad: bytes) -> None:
    data = sounds.wav(1, subtype="PCM_U8", samples=501)
    start = data.index(b"data") + 8
    bare = data[: start + 501]
    assert np.array_equal(decode(bare + pad + LIST).samples, decode(data).samples)


def test_an_empty_sound_before_a_chunk_stays_empty() -> None:
    with pytest.raises(Unusable, match="no samples"):
        decode(sounds.wav(samples=0) + LIST)


@pytest.mark.parametrize("size", [4001, 1 << 20, 0x40000000])
def test_a_size_that_no_placeholder_is_like_means_truncated(size: int) -> None:
    with pytest.raises(Unusable, match=f"truncated: the header promises {size} bytes"):
        decode(promising(size))


@pytest.mark.parametrize("size", [2, 1000, 1001, 3990])
def test_sound_behind_the_promised_end_is_refused(size: int) -> None:
    with pytest.raises(Unusable, match="lies about the length"):
        decode(promising(size))


def test_many_small_chunks_are_walked_once() -> None:
    chunks = (b"abcd" + struct.pack("<I", 1) + b"x") * 20_000
    assert np.array_equal(decode(WHOLE + chunks).samples, decode(WHOLE).samples)
