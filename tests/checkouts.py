"""Checkouts of the project for tests that use it as its users do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def checkout(project: Path, target: Path) -> Path:
    """A copy of what git tracks, as a repository of its own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (project / name).is_file() and not name.startswith(("tests/", "docs/")):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(project / name, target / name)
    (target / "dvc.lock").unlink(missing_ok=True)
    downloads = project / ".gatewise" / "downloads"
    if downloads.is_dir():
        shutil.copytree(downloads, target / ".gatewise" / "downloads")
    return target


def environment(folder: Path) -> dict[str, str]:
    """This environment's programs first, and the checkout's own package and stages."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "GATEWISE"))}
    return {
        **ours,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), ours["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(folder / "src"), str(folder)]),
    }


def run(
    folder: Path,
    *command: str,
    status: int | None = 0,
    variables: Mapping[str, str] | None = None,
) -> str:
    """What a command in a checkout prints; it must end with `status`, if one is given."""
    done = subprocess.run(
        command,
        cwd=folder,
        check=False,
        env=variables or environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert status is None or done.returncode == status, f"{done.returncode}\n{done.stdout}"
    return done.stdout
