"""Seals: digests of the files of a folder that is kept under a key, written beside them.

What is kept may be old, from another machine, or out of a shared cache. It is taken only if every
file is still what it was.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from gatewise.errors import GatewiseError
from gatewise.files import read_json, replacing, sha256, write_json

SEAL = "seal.json"


class _Seal(BaseModel):
    """`seal.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    key: str
    files: dict[str, str]
    """sha256 of each file by its name."""


def seal(folder: Path, key: str) -> None:
    """Write the digests of all files of `folder` into it."""
    files = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    write_json(folder / SEAL, _Seal(key=key, files=files).model_dump())


def damage(folder: Path, key: str, required: Collection[str]) -> str | None:
    """What is wrong with a kept folder, in words; None if it is whole or absent.

    Args:
        folder: where it lies.
        key: what it is kept under.
        required: files that it has to have; a seal that names less is none.
    """
    if not os.path.lexists(folder):
        return None
    path = folder / SEAL
    try:
        found = _Seal.model_validate(read_json(path))
        if found.key != key:
            return f"{path} belongs to another run"
        altered = [name for name, known in found.files.items() if sha256(folder / name) != known]
    except FileNotFoundError as error:
        return f"{error.filename} is missing"
    except ValidationError:
        return f"{path} is damaged"
    except (OSError, GatewiseError) as error:
        return str(error)
    if not found.files.keys() >= set(required):
        return f"{path} is damaged"
    return f"{folder / altered[0]} is not what it was" if altered else None


class SealedFolders:
    """Sealed folders by their keys, `<root>/<first two of key>/<key>/`."""

    def __init__(self, root: str | Path, required: Collection[str]) -> None:
        """Look below `root` for folders that hold the `required` files at least."""
        self.root, self.required = Path(root), required

    def path(self, key: str) -> Path:
        """Where the folder with `key` lies or will lie."""
        return self.root / key[:2] / key

    def __contains__(self, key: str) -> bool:
        """Whether it is there and whole."""
        return os.path.lexists(self.path(key)) and self.damage(key) is None

    def damage(self, key: str) -> str | None:
        """What is wrong with what lies there, in words; None if it is whole or absent."""
        return damage(self.path(key), key, self.required)

    def keep(self, key: str, folder: Path) -> Path:
        """Take a finished folder in, in place of whatever lies there; where it lies now."""
        seal(folder, key)
        path = self.path(key)
        with replacing(path) as temporary:
            shutil.move(folder, temporary)
        return path
