"""Finished runs, kept by what determines them.

DVC deletes a stage's outputs before it runs the stage again. Keeping each finished run under
its key, outside DVC's outputs, is what lets an interrupted stage go on where it stopped and an
added seed train alone.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from gatewise.artifacts import runs, software
from gatewise.artifacts.plan import RunPlan
from gatewise.errors import GatewiseError
from gatewise.files import digest, replacing
from gatewise.training import instructions


def run_key(plan: RunPlan, seed: int, data_digest: str) -> str:
    """sha256 of everything that determines one run."""
    return digest(
        {
            "plan": plan.sha256,
            "seed": seed,
            "data": data_digest,
            "software": software.run_digest(plan),
            "processor": instructions.identity(plan.instructions),
        }
    )


class FinishedRuns:
    """A folder of run folders, `<root>/<first two of key>/<key>/`."""

    def __init__(self, root: str | Path = ".gatewise/runs") -> None:
        self.root = Path(root)

    def path(self, key: str) -> Path:
        """Where the run with `key` lies or will lie."""
        return self.root / key[:2] / key

    def __contains__(self, key: str) -> bool:
        """Whether the run was finished and is whole."""
        try:
            return runs.RunRecord.read(self.path(key)).key == key
        except GatewiseError:
            return False

    def restore(self, key: str, folder: Path) -> None:
        """Copy the run's files to `folder`, which must not exist."""
        with replacing(folder) as temporary:
            shutil.copytree(self.path(key), temporary)
