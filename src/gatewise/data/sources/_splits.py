"""Sounds of which each published split lies in a place of its own."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from gatewise.data.sources._sounds import Sound
from gatewise.errors import GatewiseError

Listed = tuple[Path, list[Sound], dict[str, int]]
"""A folder, sounds with paths below it, and what was left out, counted by reason."""


def joined(parts: Mapping[str, Listed]) -> Listed:
    """The sounds of all splits, with paths below the folder that all their folders lie in.

    Args:
        parts: by split.

    Raises:
        GatewiseError: a place names splits itself.
    """
    for split, (folder, listed, _) in parts.items():
        if any(sound.split for sound in listed):
            raise GatewiseError(
                f"{folder}: names splits itself, although it is given as the split {split}; give "
                "the folder or table of that split alone"
            )
    folders = [folder for folder, _, _ in parts.values()]
    if len({folder.is_absolute() for folder in folders}) > 1:
        folders = [folder.absolute() for folder in folders]
    root = Path(os.path.commonpath([os.path.normpath(folder) for folder in folders]))
    sounds: list[Sound] = []
    skipped: Counter[str] = Counter()
    for folder, (split, (_, listed, left_out)) in zip(folders, parts.items(), strict=True):
        below = Path(os.path.relpath(folder, root))
        sounds += [replace(one, path=(below / one.path).as_posix(), split=split) for one in listed]
        skipped.update(left_out)
    return root, sounds, dict(skipped)
