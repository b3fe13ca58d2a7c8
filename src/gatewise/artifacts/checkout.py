"""The git checkout that a study stands in: the commit that its results belong to."""

from __future__ import annotations

import subprocess
from pathlib import Path

LOCKS = ("dvc.lock", "seeds.lock", "tuning.lock")
"""Runs rewrite them themselves, so they make no checkout dirty."""


def git(root: str | Path, *arguments: str) -> str | None:
    """What git prints in `root`; `None` where it fails or is not installed."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def commit(root: str | Path = ".", revision: str = "HEAD") -> str | None:
    """Full name of a revision's commit; `None` outside a repository or where it is unknown."""
    return git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")


def dirty(root: str | Path = ".") -> bool:
    """Whether tracked files other than locks differ from the commit."""
    excluded = [f":!{name}" for name in LOCKS]
    changed = git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *excluded)
    return bool(changed)


def shallow(root: str | Path = ".") -> bool | None:
    """Whether the repository lacks old commits; `None` outside a repository."""
    answer = git(root, "rev-parse", "--is-shallow-repository")
    return None if answer is None else answer == "true"
