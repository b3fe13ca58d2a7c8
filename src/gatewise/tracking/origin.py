"""Where runs come from: the git commit, the DVC stage, the person."""

from __future__ import annotations

import contextlib
import getpass
from pathlib import Path
from typing import Any

from gatewise.artifacts import checkout
from gatewise.config import yaml_file
from gatewise.errors import GatewiseError

COMMIT, DIRTY = "mlflow.source.git.commit", "gatewise.git.dirty"


def tags(root: str | Path = ".") -> dict[str, str]:
    """Tags set once, when a run is made: commit, whether files differ from it, user, program."""
    described = {"mlflow.source.name": "gatewise", "mlflow.source.type": "PROJECT"}
    commit = checkout.commit(root)
    if commit:
        described[COMMIT] = commit
        described[DIRTY] = str(checkout.dirty(root)).lower()
    with contextlib.suppress(KeyError, OSError):  # a container's user may have no name
        described["mlflow.user"] = getpass.getuser()
    return described


def locked_stages(lock: str | Path = "dvc.lock") -> dict[str, Any]:
    """Stages of `dvc.lock`; none where there is no such file.

    Raises:
        GatewiseError: it is not readable.
    """
    path = Path(lock)
    if not path.is_file():
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        lock_file = yaml_file.parse(text, path, yaml_file.MOST_LOCKED)
        return dict((lock_file or {}).get("stages", {}))
    except (GatewiseError, AttributeError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise GatewiseError(f"{path}: not readable: {reason}; restore it with git") from None


def locked_outputs(lock: str | Path = "dvc.lock") -> dict[str, str]:
    """Digest of each DVC stage's outputs by the stage's name, from `dvc.lock`."""
    return {
        name: ",".join(str(out.get("md5", "")) for out in stage.get("outs", ()))
        for name, stage in locked_stages(lock).items()
    }
