"""Where the samples of a wav file lie: what its header promises against what is there.

libsndfile adapts to a header that lies without a word; here a file is either whole, or written
by a program that did not know the length when it wrote the header, or refused.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

PCM = 1  # format tag of integer samples
LEAST_PLACEHOLDER = 0x7FFF_0000
"""Sizes from here on (2 GiB less 64 KiB) that a file cannot hold stand for an unknown length.

Programs that write to a pipe put 0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 0x7FFFF000 or one of
these less the header there."""
KNOWN_CHUNKS = frozenset(
    name.ljust(4)
    for name in b"LIST fact cue smpl inst plst bext iXML _PMX PEAK JUNK junk PAD FLLR id3 ID3 "
    b"ID32 afsp acid DISP cart axml chna umid minf elm1 regn Cr8r".split()
)
"""Chunks that may stand, cut off even, behind the sound: the sound itself is whole."""


class WavError(Exception):
    """The file is not what its header says; the message says how."""


@dataclass(frozen=True)
class Sound:
    """Where a wav's samples lie, and what they are."""

    format: tuple[int, int]
    """Format tag and bits per sample."""
    channels: int
    rate: int
    """Hz."""
    start: int
    """First byte of the samples."""
    size: int
    """Bytes of samples that are there."""
    promised: int
    """Bytes of samples that the header promises."""

    @property
    def frames(self) -> int:
        """Samples per channel of plain formats; 0 where that is not to be told from the header."""
        width = self.channels * self.format[1] // 8
        return self.size // width if width else 0

    def repaired(self, data: bytes) -> bytes:
        """The file with the true size in its header and nothing behind the sound."""
        if self.promised == self.size:
            return data
        size = struct.pack("<I", self.size)
        whole = data[: self.start - 4] + size + data[self.start : self.start + self.size]
        return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]


def locate(data: bytes) -> Sound | None:
    """Find the samples of the wav file `data`; None if it is none.

    Raises:
        WavError: no sound, less of it than promised, or more bytes than the header explains.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    tag = channels = rate = bits = 0
    place = 12
    while place + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, place)
        place += 8
        if name == b"fmt " and place + 16 <= len(data):
            tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, place)
        if name == b"data":
            there = _true_size(data, place, size)
            return Sound((tag, bits), channels, rate, place, there, size)
        place += size + size % 2
    raise WavError("truncated: no sound after the header")


def _true_size(data: bytes, place: int, size: int) -> int:
    """Bytes of samples from `place` on, where the header promises `size`."""
    there = len(data) - place
    if size > there:
        if size >= LEAST_PLACEHOLDER:
            return there
        raise WavError(f"truncated: the header promises {size} bytes, {there} are there")
    end = place + size
    # A pad byte belongs behind an odd size; some writers forget it.
    if any(_nothing_but_chunks(data, start) for start in {end + size % 2, end}):
        return size
    if size == 0:  # left as it was before the samples came
        return there
    raise WavError(
        f"the header promises {size} bytes of sound, but {there} follow; it lies about the length"
    )


def _nothing_but_chunks(data: bytes, place: int) -> bool:
    """Whether only chunks follow, or what programs leave behind: zeros, an ID3v1 tag, a byte."""
    open_places, seen = [place], set()
    while open_places:
        place = open_places.pop()
        if place in seen:
            continue
        seen.add(place)
        rest = data[place : place + 8]
        if len(rest) < 8 or rest[:3] == b"TAG":
            return True
        name, size = struct.unpack("<4sI", rest)
        if not any(name) and data.count(0, place) == len(data) - place:
            return True
        if all(0x20 <= letter < 0x7F for letter in name):
            end = place + 8 + size
            if end <= len(data):
                open_places += {end, end + size % 2}  # the pad byte may be missing here, too
            elif name in KNOWN_CHUNKS:
                return True
    return False
