"""Finished runs, kept by what determines them.

DVC deletes a stage's outputs before it runs the stage again. Keeping each finished run under
its key, outside DVC's outputs, is what lets an interrupted stage go on where it stopped and an
added seed train alone.

Such a run may be old, from another machine, or out of a shared cache, so it is sealed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from gatewise.artifacts import runs, software
from gatewise.artifacts.plan import RunPlan
from gatewise.execution.seals import SEAL, SealedFolders
from gatewise.files import digest, replacing
from gatewise.training import instructions

REQUIRED = (runs.WEIGHTS, runs.CURVES, runs.PREDICTIONS, runs.RECORD)
"""What every run leaves."""


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


class FinishedRuns(SealedFolders):
    """Folders of finished runs."""

    def __init__(self, root: str | Path = ".gatewise/runs") -> None:
        super().__init__(root, REQUIRED)

    def keep(self, key: str, folder: Path) -> Path:
        """Take a finished run's folder in, in place of whatever lies there; where it lies now.

        Raises:
            DamagedError: what was written is not what was trained.
        """
        runs.check(folder, runs.RunRecord.read(folder))
        return super().keep(key, folder)

    def restore(self, key: str, folder: Path) -> None:
        """Copy the run's files to `folder`, which must not exist."""
        with replacing(folder) as temporary:
            shutil.copytree(self.path(key), temporary, ignore=shutil.ignore_patterns(SEAL))
