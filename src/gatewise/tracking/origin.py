"""Where runs come from: the git commit, the DVC stage, the person."""

from __future__ import annotations

import contextlib
import getpass
import subprocess
from pathlib import Path
from typing import Any

from gatewise.errors import GatewiseError


def tags(root: str | Path = ".") -> dict[str, str]:
    """Tags set once, when a run is made: commit, whether files differ from it, user, program."""
    found = {"mlflow.source.name": "gatewise", "mlflow.source.type": "PROJECT"}
    commit = _git(root, "rev-parse", "HEAD")
    if commit:
        found["mlflow.source.git.commit"] = commit
        # Untracked files and locks, which runs rewrite themselves, make nothing dirty.
        locks = (":!dvc.lock", ":!seeds.lock")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *locks)
        found["gatewise.git.dirty"] = str(bool(changed)).lower()
    with contextlib.suppress(KeyError, OSError):  # a container's user may have no name
        found["mlflow.user"] = getpass.getuser()
    return found


def locked_stages(lock: str | Path = "dvc.lock") -> dict[str, Any]:
    """Stages of `dvc.lock`; none where there is no such file.

    Raises:
        GatewiseError: it is not readable.
    """
    import yaml

    path = Path(lock)
    if not path.is_file():
        return {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
        return dict((found or {}).get("stages", {}))
    except (yaml.YAMLError, AttributeError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise GatewiseError(f"{path}: not readable: {reason}; restore it with git") from None


def locked_outputs(lock: str | Path = "dvc.lock") -> dict[str, str]:
    """Digest of each DVC stage's outputs by the stage's name, from `dvc.lock`."""
    return {
        name: ",".join(str(out.get("md5", "")) for out in stage.get("outs", ()))
        for name, stage in locked_stages(lock).items()
    }


def _git(root: str | Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
