"""Which sample rates can be brought to a task's: resampling costs as much as the ratio is odd.

A resampling kernel has `source x target / gcd^2` coefficients for each zero crossing of its
window, so 44,100 to 16,000 Hz (441:160) takes 0.6 MB and 191,999 to 16,000 Hz would take 25 GB.
"""

from __future__ import annotations

import math

from gatewise.data.frontends.decoding import Unusable

LARGEST_KERNEL = 2**22
"""Coefficients (16 MB) of the largest kernel; rates that equipment records at take a tenth."""


def kernel_size(source: int, target: int) -> int:
    """About the coefficients of the kernel from `source` to `target` Hz (torchaudio's default)."""
    divisor = math.gcd(source, target)
    before, after = source // divisor, target // divisor
    return after * (before + 2 * math.ceil(6 * before / (0.99 * min(before, after))))


def require(source: int, target: int) -> None:
    """Refuse a rate in Hz that only a huge kernel brings to `target`.

    Raises:
        Unusable: naming a rate that will do.
    """
    if source != target and kernel_size(source, target) > LARGEST_KERNEL:
        raise Unusable(
            f"sample rate {source} Hz has no simple ratio to the model's {target} Hz; resample it "
            f"to {target} Hz first"
        )
