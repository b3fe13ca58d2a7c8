"""Vectors of words, made once for all runs that start from the same ones.

They follow from the training texts and the width alone, and runs of all seeds and variants of a
task share both where its splits are fixed. Each run is a process of its own, so what one has made
the others find in a file under a digest of all that decides it. A file that is damaged is made
anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from gatewise.artifacts import software
from gatewise.files import digest, replacing
from gatewise.training import instructions, word_vectors
from gatewise.training.instructions import Instructions
from gatewise.training.word_vectors import Ids, Vectors

FOLDER = "vectors"
MOST_BYTES = 256 * 2**20
"""Beyond it the files that were used longest ago are removed."""
_LIBRARIES = ("numpy", "scipy", "scikit-learn")


def vectors(
    documents: Iterator[Ids], vocabulary: int, width: int, folder: Path | None, mode: Instructions
) -> tuple[Vectors, Ids]:
    """What `word_vectors.vectors` gives, from `folder` where it lies there.

    Args:
        documents: token ids of each training text, `(steps,)`.
        vocabulary: number of token ids; 0 is padding.
        width: elements of a vector.
        folder: where vectors are kept, made at need; nothing is kept if `None`.
        mode: instructions that this process computes with, on which bits depend.
    """
    if folder is None:
        return word_vectors.vectors(documents, vocabulary, width)
    texts = [np.asarray(text, dtype=np.int64) for text in documents]
    path = folder / f"{_key(texts, vocabulary, width, mode)}.safetensors"
    kept = _read(path)
    if kept is not None:
        return kept
    found, words = word_vectors.vectors(iter(texts), vocabulary, width)
    # A disk that is full or refuses costs the time of making them again, and no run.
    with suppress(OSError):
        _write(path, found, words)
        _prune(folder)
    return found, words


def _key(texts: Sequence[Ids], vocabulary: int, width: int, mode: Instructions) -> str:
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    return digest(
        {
            "texts": _sha256(np.concatenate([lengths, *texts])),
            "vocabulary": vocabulary,
            "width": width,
            "sources": software.sources_digest([word_vectors.__name__]),
            "libraries": {name: metadata.version(name) for name in _LIBRARIES},
            "processor": [mode, instructions.identity(mode)],
        }
    )


def _write(path: Path, found: Vectors, words: Ids) -> None:
    arrays = {"vectors": np.ascontiguousarray(found), "words": np.ascontiguousarray(words)}
    content = save(arrays, {name: _sha256(array) for name, array in arrays.items()})
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def _prune(folder: Path) -> None:
    total = 0
    files = [(file.stat(), file) for file in folder.glob("*.safetensors")]
    for status, file in sorted(files, key=lambda one: one[0].st_mtime_ns, reverse=True):
        total += status.st_size
        if total > MOST_BYTES:
            file.unlink(missing_ok=True)


def _read(path: Path) -> tuple[Vectors, Ids] | None:
    """What a file holds; `None` if it is not there or not what was written."""
    try:
        with safe_open(path, "numpy") as file:
            known = file.metadata() or {}
            found, words = file.get_tensor("vectors"), file.get_tensor("words")
        path.touch()
    except (OSError, SafetensorError):
        return None
    if (_sha256(found), _sha256(words)) != (known.get("vectors"), known.get("words")):
        return None
    return found, words


def _sha256(array: npt.NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()
