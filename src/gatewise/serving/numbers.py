"""Numbers that people send, as arrays: what is no number is refused, never guessed at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gatewise.serving.budget import BadInputError


def array(value: Any, name: str, kind: type[np.floating] = np.float32) -> np.ndarray:
    """A list (of lists) of numbers, or an array of them, as floats of a kind.

    Strings that look like numbers, booleans and complex numbers are none.

    Args:
        value: what was sent.
        name: of the field, for the message.
        kind: of the floats.

    Raises:
        BadInputError: it holds something else, or rows of different lengths.
    """
    refused = BadInputError(f"{name} must be numbers, every step with equally many")
    rows = value.tolist() if isinstance(value, np.ndarray) and value.dtype == object else value
    if not isinstance(rows, np.ndarray) and not _plain(rows):
        raise refused
    try:
        with np.errstate(over="ignore"):  # beyond float32: infinite, and refused as such
            converted = np.asarray(rows)
            if converted.dtype.kind not in "iuf" and converted.size:
                raise refused
            return converted.astype(kind)
    except (TypeError, ValueError, OverflowError):
        raise refused from None


DEEPEST = 4
"""Lists in lists; one more than anything takes, so that the refusal can name the shape."""


def _plain(value: Any, depth: int = 1) -> bool:
    """Whether `value` is a list of numbers, or lists of such; looks at types, not at values."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "iuf"
    if not _listed(value):
        return False
    if all(map(_numeric, set(map(type, value)))):
        return True
    return depth < DEEPEST and all(_plain(row, depth + 1) for row in value)


def _listed(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))


def _numeric(kind: type) -> bool:
    return issubclass(kind, (int, float, np.integer, np.floating)) and kind is not bool


def rate(value: Any) -> int:
    """A sample rate in Hz.

    Raises:
        BadInputError: it is no whole number.
    """
    if _numeric(type(value)):
        try:
            whole = int(value)
            if whole == value and abs(whole) < 2**31:
                return whole
        except (ValueError, OverflowError):  # not a number, or infinite
            pass
        raise BadInputError(f"rate must be a whole number in Hz, not {_short(value)}")
    raise BadInputError(f"rate must be a whole number in Hz, not {type(value).__name__}")


def _short(value: Any) -> str:
    if isinstance(value, int) and abs(value) >= 10**12:
        return "one of that size"
    return str(value)
