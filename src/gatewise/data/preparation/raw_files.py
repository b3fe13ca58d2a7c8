"""Files of the user's that preparation reads where they lie."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gatewise.errors import GatewiseError
from gatewise.files import read_regular


def read_unchanged(path: Path, expected: str) -> bytes:
    """All bytes of a file, which must be those that were fetched.

    Args:
        path: the file.
        expected: its sha256 in the manifest.

    Raises:
        GatewiseError: it is missing, or has changed.
    """
    try:
        data = read_regular(path)
    except FileNotFoundError:
        raise GatewiseError(f"{path}: missing; run `dvc repro -f fetch` to make it anew") from None
    if hashlib.sha256(data).hexdigest() != expected:
        raise GatewiseError(f"{path}: changed since it was fetched; run `dvc repro -f fetch`")
    return data
