"""What becomes of clips that a person would want to know: sound that is cut or mixed away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatewise.data.frontends.decoding import SILENT_PEAK, Clip
from gatewise.data.frontends.spectra import to_mono

if TYPE_CHECKING:
    import torch

CANCELS, CROPPED, CUT_AWAY, FAR_LONGER = (
    "cancels in the mix",
    "cropped",
    "mostly cropped away",
    "far longer than most",
)
LEFT_OF_MIX = 0.01
"""Share of the channels' power: less of it in the mix (20 dB) means opposite phases."""
LOST, MOSTLY_LOST = 0.01, 0.5
"""Shares of a clip's energy from which cropping is worth a word, and a warning."""
FAR = 10
"""Times the median length from which a clip is far longer than most."""


def of_clip(clip: Clip, whole: torch.Tensor, kept: torch.Tensor) -> list[str]:
    """Names of what a clip loses.

    Args:
        clip: as decoded.
        whole: all of it, mono and resampled, `(samples,)`.
        kept: what features are computed of, `(samples,)`.
    """
    found = [CANCELS] if _cancels(clip) else []
    if len(kept) < len(whole):
        energy = _energy(whole.numpy())
        lost = 1 - _energy(kept.numpy()) / energy if energy else 0.0
        if lost > MOSTLY_LOST:
            found.append(CUT_AWAY)
        elif lost > LOST:
            found.append(CROPPED)
    return found


def far_longer(lengths: Sequence[int]) -> list[int]:
    """Rows whose sequences are many times as long as most: every batch with one is padded."""
    used = [length for length in lengths if length]
    if not used:
        return []
    limit = FAR * float(np.median(used))
    return [row for row, length in enumerate(lengths) if length > limit]


def _cancels(clip: Clip) -> bool:
    if clip.samples.shape[1] == 1 or clip.peak < SILENT_PEAK:
        return False
    channels = _energy(clip.samples) / clip.samples.shape[1]
    return bool(_energy(to_mono(clip.samples)) < LEFT_OF_MIX * channels)


def _energy(samples: np.ndarray) -> float:
    return float(np.square(samples, dtype=np.float64).sum())
