"""Places that are no data: refused before anything is read."""

from __future__ import annotations

import os
from pathlib import Path

from gatewise.errors import GatewiseError

PROJECT = ("dvc.yaml", "params.yaml")
"""Files that make a folder a project of ours."""
OUTPUTS = (
    "data/raw",
    "data/prepared",
    "data/tuned",
    "data/plan",
    "runs",
    "reports",
    ".dvc",
    ".gatewise",
)
"""Folders of a project that stages empty and fill, or that belong to DVC."""


def require(path: Path) -> None:
    """Refuse what cannot be read as data: nothing, a pipe, no permission, the project itself.

    Raises:
        GatewiseError: one of these.
    """
    if not path.exists():
        link = f": a link to {path.readlink()}, which does not exist" if path.is_symlink() else None
        raise GatewiseError(f"{path}{link or ': no such file or folder'}")
    if not (path.is_dir() or path.is_file()):
        raise GatewiseError(
            f"{path}: not a regular file (a pipe, a socket or a device); give a folder or a table"
        )
    if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
        raise GatewiseError(
            f"{path}: no permission to read it; mend it (`chmod -R u+rX`) and try again"
        )
    _refuse_project(path)


def _refuse_project(path: Path) -> None:
    real, here = path.resolve(), Path.cwd().resolve()
    for root in (here, *here.parents):
        if not all((root / name).is_file() for name in PROJECT):
            continue
        if root.is_relative_to(real):
            which = "this project itself" if root == real else "a folder that holds this project"
            raise GatewiseError(f"{path}: {which}; give the folder or table with your data")
        for name in OUTPUTS:
            if real.is_relative_to(root / name):
                raise GatewiseError(
                    f"{path}: made by this project, which empties {name} when it runs; give what "
                    "it was made from"
                )
        return
    if all((real / name).is_file() for name in PROJECT):
        raise GatewiseError(f"{path}: a project, not data; give the folder or table with your data")
