"""Rules for how examples become sequences: spectra from lengths and rates, tokens from counts.

Those of images are in `images`.
"""

from __future__ import annotations

import math

import numpy as np

from gatewise.data.understanding import Understanding
from gatewise.repro.studies import images
from gatewise.repro.studies.choices import Chosen, Section, share

KEPT = 0.98
"""Share of the examples that are to be kept whole."""
HIGHEST_RATE = 16_000
"""Hz: what speech needs, and most sounds are told apart by."""
STEPS = 150
"""Steps that clips are to have at most, or frames become longer."""
HOP, LONGEST_HOP = 0.02, 0.08
"""Seconds between frames."""
LONGEST_CLIP = 20.0
"""Seconds; of longer ones the loudest window is kept."""
PART = 0.6
"""Share of its clip that what is heard has to stay below for the rest to be cut away."""
MARGIN = 0.2
"""Seconds kept around what is heard."""
RARE = 2
"""Times that a word has to stand in training texts to be known."""
LARGEST_VOCABULARY = 10_000
MOST_WORDS, MOST_CHARACTERS = 200, 400
"""Tokens of a text that are kept at most."""


def features(data: Understanding) -> Section:
    """The section `features`."""
    if data.images is not None:
        return images.features(data.images)
    return _spectra(data) if data.kind == "audio" else _tokens(data)


# --- sounds ------------------------------------------------------------------------------------


def _spectra(data: Understanding) -> Section:
    rate = sample_rate(data)
    length, energy, said = _seconds(data)
    hop = hop_seconds(length)
    n_fft = 2 ** math.ceil(math.log2(1.6 * hop * rate))
    section: dict[str, Chosen | Section] = {
        "kind": Chosen("log-mel"),
        "sample_rate": Chosen(rate, _rates(data, rate)),
        "n_fft": Chosen(n_fft, f"samples: windows of {1000 * n_fft / rate:.0f} ms"),
        "hop_length": Chosen(
            round(hop * rate),
            f"samples: a frame every {1000 * hop:.0f} ms, {round(length / hop)} of them",
        ),
        "n_mels": Chosen(40 if rate >= HIGHEST_RATE else 32),
        "seconds": Chosen(length, said),
    }
    if energy:
        section["crop"] = Chosen("energy", "the loudest window: what is heard fills a small part")
    section["normalise"] = Chosen("clip", "less each clip's own mean: distance and microphone")
    return section


def sample_rate(data: Understanding) -> int:
    """The most frequent rate, and no more than is needed."""
    usual = next(iter(data.rates), HIGHEST_RATE)
    return min(usual, HIGHEST_RATE)


def _rates(data: Understanding, rate: int) -> str:
    known = ", ".join(f"{count:,} at {hertz:,} Hz" for hertz, count in list(data.rates.items())[:3])
    if not known:
        return "Hz"
    return f"Hz; {known}" + ("" if rate == next(iter(data.rates)) else "; resampled")


def _seconds(data: Understanding) -> tuple[float, bool, str]:
    """Seconds of each clip, whether the loudest are kept, and why."""
    lengths = data.lengths
    median, longest = float(np.median(lengths)), float(lengths[-1])
    if data.active_lengths is not None and len(data.active_lengths):
        heard = _tenths(float(np.quantile(data.active_lengths, KEPT)) + MARGIN)
        if heard < PART * median:
            said = f"what is heard is no longer in {share(KEPT, 1)} of clips of {median:.1f} s"
            return min(heard, LONGEST_CLIP), True, said
    if longest <= min(1.05 * median, LONGEST_CLIP):
        return _tenths(longest), False, "clips are equally long"
    kept = min(_tenths(float(np.quantile(lengths, KEPT))), LONGEST_CLIP)
    cropped = int((lengths > kept).sum())
    said = _longer(cropped, len(lengths), "clips")
    return kept, kept == LONGEST_CLIP, f"{said}; the longest has {longest:.1f} s"


def _longer(count: int, all_of_them: int, what: str) -> str:
    """`2 % of the clips are longer and cropped`."""
    if not count:
        return f"none of the {what} is longer"
    return f"{share(count, all_of_them)} of the {what} are longer and cropped"


def _tenths(seconds: float) -> float:
    """Rounded up to tenths of a second."""
    return max(0.1, math.ceil(10 * seconds - 1e-6) / 10)


def hop_seconds(length: float) -> float:
    """Between frames: twenty milliseconds, or more where there would be too many steps."""
    wanted = length / STEPS
    return min(LONGEST_HOP, max(HOP, math.ceil(100 * wanted) / 100))


# --- texts -------------------------------------------------------------------------------------


def _tokens(data: Understanding) -> Section:
    characters = data.script == "characters"
    unit = "characters" if characters else "words and signs"
    length = max_length(data)
    longer = int((data.lengths > length).sum())
    size, said = _vocabulary(data, unit)
    return {
        "kind": Chosen("tokens"),
        "tokenizer": Chosen(
            "character" if characters else "word",
            "there are no spaces between words" if characters else "",
        ),
        "vocabulary": Chosen(size, said),
        "min_frequency": Chosen(RARE, f"{unit} that stand once teach nothing of themselves"),
        "max_length": Chosen(
            length,
            f"{_longer(longer, len(data.lengths), 'texts')}; the longest has "
            f"{data.lengths[-1]:,.0f} {unit}",
        ),
    }


def max_length(data: Understanding) -> int:
    """Tokens kept of a text, a multiple of four."""
    most = MOST_CHARACTERS if data.script == "characters" else MOST_WORDS
    wanted = 4 * math.ceil(float(np.quantile(data.lengths, KEPT)) / 4)
    return int(min(max(wanted, 4), most))


def _vocabulary(data: Understanding, unit: str) -> tuple[int, str]:
    counts = data.word_counts if data.word_counts is not None else np.zeros(0, dtype=np.int64)
    known = int((counts >= RARE).sum())
    # Room for the two tokens of padding and of the unknown, and for a tokenizer that splits more.
    size = min(LARGEST_VOCABULARY, 100 * math.ceil((1.1 * known + 2) / 100))
    size = max(size, 100)
    total = int(counts.sum())
    if not total:
        return size, "at most"
    covered = int(counts[: min(known, size)].sum())
    return size, (
        f"at most; {known:,} {unit} stand {RARE} times or more, and the first "
        f"{min(known, size):,} are {share(covered, total)} of the texts"
    )
