"""Data sets of the Hugging Face hub that are stored as single sound files.

`datasets` encodes and decodes such files with torchcodec; here they are downloaded as they are.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from gatewise.artifacts.manifest import Example
from gatewise.data.frontends.decoding import FOREIGN, SUFFIXES
from gatewise.data.sources import _labels, _metadata, _sounds
from gatewise.errors import GatewiseError

if TYPE_CHECKING:
    from gatewise.data.sources import audio_folder

PACKED = (".parquet", ".arrow", ".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".h5")
"""Files that hold many examples: such a set is for `datasets` to load."""
CLIPS = "clips"
"""Folder of a raw folder that downloaded sounds lie in."""


def has_arrow(names: Iterable[str]) -> bool:
    """Whether a file holds many examples, by its name; a `metadata` table only lists them."""
    return any(
        name.lower().endswith(PACKED) and PurePosixPath(name).name not in _metadata.NAMES
        for name in names
    )


def sounds(name: str, revision: str | None) -> Path | None:
    """The folder of a set that is stored as single sound files, downloaded.

    Where the hub cannot be reached, what an earlier download left in its cache.

    Args:
        name: of the data set on the hub.
        revision: commit, branch or tag; left out: the newest.

    Returns:
        Nothing where it is stored otherwise, or neither the hub nor the cache know it.

    Raises:
        GatewiseError: the download broke off.
    """
    try:
        import huggingface_hub
    except ImportError:  # `datasets` brings it, and is asked for next
        return None
    try:
        info = huggingface_hub.HfApi().dataset_info(name, revision=revision)
        there = [sibling.rfilename for sibling in info.siblings or ()]
    except Exception:  # no network, no such set, no permission: a dozen kinds
        return _cached(name, revision)
    if has_arrow(there) or not any(map(_is_sound, there)):
        return None
    try:
        return Path(_download(name, revision))
    except Exception as error:  # its client raises as many kinds
        line = "".join(str(error).strip().splitlines()[:1])
        raise GatewiseError(
            f"{name}: the download broke off ({type(error).__name__}: {line}); run it again, it "
            "goes on where it was"
        ) from None


def _cached(name: str, revision: str | None) -> Path | None:
    try:
        folder = Path(_download(name, revision, local_files_only=True))
    except Exception:  # not in the cache
        return None
    there = [path.relative_to(folder).as_posix() for path in folder.rglob("*.*")]
    count = sum(map(_is_sound, there))
    if not count or has_arrow(there):
        return None
    print(
        f"warning: {name}: the hub cannot be reached; {count} sounds from its cache, as the last "
        "download left them",
        file=sys.stderr,
    )
    return folder


def _download(name: str, revision: str | None, *, local_files_only: bool = False) -> str:
    import huggingface_hub

    # The endings in both cases: patterns heed it.
    endings = [*SUFFIXES, *FOREIGN]
    wanted = [f"*{form(ending)}" for ending in endings for form in (str.lower, str.upper)]
    wanted += [pattern for table in _metadata.NAMES for pattern in (table, f"*/{table}")]
    return str(
        huggingface_hub.snapshot_download(
            name,
            repo_type="dataset",
            revision=revision,
            allow_patterns=wanted,
            local_files_only=local_files_only,
        )
    )


def _is_sound(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in (*SUFFIXES, *FOREIGN)


def copied(source: audio_folder.Source, target: Path) -> list[Example]:
    """Copy the sounds of a downloaded set into the raw folder `target`; its manifest rows.

    Raises:
        GatewiseError: a table of the set names a file outside of it, or one that is not there.
    """
    root, listed, _ = source.listed()
    examples = []
    for sound in _labels.cleaned(listed, source.title):
        name = PurePosixPath(sound.path)
        if name.is_absolute() or ".." in name.parts:
            raise GatewiseError(
                f"{sound.listed_in or root}: names {sound.path}, which lies outside of the set"
            )
        _sounds.require_file(root / name, sound.listed_in)
        place = replace(sound, path=f"{CLIPS}/{name}")
        (target / place.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target / place.path)
        examples.append(replace(_sounds.example(target, place), id=sound.path))
    return examples
