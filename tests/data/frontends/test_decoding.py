import io

import numpy as np
import pytest
import soundfile

from gatewise.data.frontends.decoding import Unusable, checked, decode
from tests import sounds


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_U8", "FLOAT", "ULAW"])
def test_samples_are_libsndfiles(subtype: str, channels: int) -> None:
    data = sounds.wav(3, subtype=subtype, channels=channels, samples=501)
    wanted, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    clip = decode(data)
    assert clip.rate == rate == sounds.RATE
    assert np.array_equal(clip.samples, wanted)


def test_content_is_that_of_the_samples_not_of_the_file() -> None:
    samples = (sounds.noise(1) * 32_767).astype(np.int16)
    wav, flac = (sounds.encoded(samples, fmt=fmt) for fmt in ("WAV", "FLAC"))
    assert wav != flac
    assert decode(wav).content == decode(flac).content
    assert decode(wav).content != decode(sounds.encoded(samples, rate=9_000)).content
    assert decode(wav).content != decode(sounds.wav(2)).content


def test_chunks_around_the_sound_are_passed_over() -> None:
    data = sounds.wav(1)
    start = data.index(b"data")
    listed = b"LIST" + (6).to_bytes(4, "little") + b"hello!"
    wrapped = data[:start] + listed + data[start:] + listed
    assert decode(wrapped).content == decode(data).content


def test_an_odd_byte_too_few_is_truncated() -> None:
    with pytest.raises(Unusable, match="header promises 4000 bytes, 3999 are there"):
        decode(sounds.wav(1)[:-1])


@pytest.mark.parametrize("fmt", ["FLAC", "OGG", "MP3"])
def test_other_formats(fmt: str) -> None:
    clip = decode(sounds.encoded(sounds.noise(1, 16_000), 16_000, subtype=None, fmt=fmt))
    assert clip.rate == 16_000
    assert len(clip.samples) == pytest.approx(16_000, abs=2_400)  # MP3 pads


@pytest.mark.parametrize("fmt", ["WAV", "FLAC"])
def test_a_clip_that_is_too_long_is_refused(fmt: str) -> None:
    data = sounds.encoded(sounds.noise(1, 16_000), 16_000, fmt=fmt)
    assert len(decode(data, longest=1.0).samples) == 16_000
    with pytest.raises(Unusable, match="lasts 1 s; at most 0 s are taken"):
        decode(data, longest=0.4)


@pytest.mark.parametrize(
    ("samples", "rate", "reason"),
    [
        (np.zeros((0, 1)), 8_000, "no samples"),
        (np.full((4, 1), np.nan), 8_000, "not finite"),
        (np.full((4, 1), 32_767.0), 8_000, "beyond full scale"),
        (np.zeros((4, 3)), 8_000, "3 channels"),
        (np.zeros((4, 1)), 1_000, "outside 4000 to 192000 Hz"),
    ],
)
def test_samples_that_are_no_clip_are_refused(samples: np.ndarray, rate: int, reason: str) -> None:
    with pytest.raises(Unusable, match=reason):
        checked(samples, rate)
