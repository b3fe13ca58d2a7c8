"""Damaged files by kind: what crashes, full disks, bad memory and other people leave behind."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

Spoil = Callable[[Path, bytes, random.Random], None]


def _empty(path: Path, _content: bytes, _chance: random.Random) -> None:
    path.write_bytes(b"")


def _cut(path: Path, content: bytes, chance: random.Random) -> None:
    path.write_bytes(content[: chance.randrange(max(1, len(content)))])


def _one_bit(path: Path, content: bytes, chance: random.Random) -> None:
    spoilt = bytearray(content or b"\0")
    spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
    path.write_bytes(spoilt)


def _junk(path: Path, content: bytes, chance: random.Random) -> None:
    path.write_bytes(chance.randbytes(max(100, len(content))))


def _another_version(path: Path, content: bytes, _chance: random.Random) -> None:
    """A file of its own kind with something in it that this version does not know."""
    if path.suffix == ".json":
        value = json.loads(content)
        value = {**value, "from_the_future": 1} if isinstance(value, dict) else [value]
        path.write_text(json.dumps(value))
    elif path.suffix == ".parquet":
        import pandas as pd

        table = pd.read_parquet(_written(path, content))
        path.unlink()
        table.rename(columns={table.columns[0]: "from_the_future"}).to_parquet(path)
    elif path.suffix == ".safetensors":
        from safetensors.numpy import load, save

        name, *_ = state = load(content)
        path.write_bytes(save({**state, f"{name}.from_the_future": state[name]}))
    elif path.suffix == ".npy":
        # A header that claims a terabyte.
        import numpy as np
        from numpy.lib import format as npy

        with path.open("wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": (2**38, 1)}
            npy.write_array_header_1_0(file, header)
            file.write(np.zeros(4, np.float32).tobytes())
    else:
        path.write_bytes(b"from the future\n" + content)


def _deep(path: Path, _content: bytes, _chance: random.Random) -> None:
    path.write_bytes(b"[" * 100_000)


def _folder(path: Path, _content: bytes, _chance: random.Random) -> None:
    path.mkdir()


def _pipe(path: Path, _content: bytes, _chance: random.Random) -> None:
    os.mkfifo(path)


def _endless(path: Path, _content: bytes, _chance: random.Random) -> None:
    path.symlink_to("/dev/zero")


def _gone(path: Path, _content: bytes, _chance: random.Random) -> None:
    """Nothing: a link to nowhere."""
    path.symlink_to("nowhere")


KINDS: dict[str, Spoil] = {
    "empty": _empty,
    "cut": _cut,
    "one bit": _one_bit,
    "junk": _junk,
    "another version": _another_version,
    "nested deeply": _deep,
    "a folder": _folder,
    "a pipe": _pipe,
    "a link to /dev/zero": _endless,
    "a link to nowhere": _gone,
}


def spoil(path: Path, kind: str, seed: int = 0) -> None:
    """Put a damaged file in place of `path`.

    Args:
        path: a whole file; other names of the same bytes (hard links) stay whole.
        kind: one of `KINDS`.
        seed: where it is cut, which bit, what junk.
    """
    content = path.read_bytes()
    path.unlink()
    KINDS[kind](path, content, random.Random(seed))  # noqa: S311  # nothing secret


def whole_again(path: Path, content: bytes) -> None:
    """Put `content` back, whatever lies there now."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.write_bytes(content)


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
