"""Where a run works while it is trained: an empty folder, and a checkpoint that outlives a kill."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from gatewise.artifacts.plan import RunPlan
from gatewise.execution.seals import SealedFolders
from gatewise.training.job import Job


@dataclass(frozen=True)
class JobFolders:
    """Folders of runs in flight by their keys, `<root>/work/<key>/`."""

    root: Path

    @classmethod
    def beside(cls, kept: SealedFolders) -> JobFolders:
        """Beside the folders that finished runs are kept in."""
        return cls(kept.root.parent)

    def checkpoint(self, key: str) -> Path:
        """What an interrupted run of this key goes on from, if it is there."""
        return self.root / "checkpoints" / f"{key}.ckpt"

    def job(
        self,
        plan: RunPlan,
        seed: int,
        key: str,
        prepared: Path,
        software: str,
        trial: int | None = None,
    ) -> Job:
        """A job of one seed, its folder made and empty.

        Args:
            plan: what to train.
            seed: one of the plan's.
            key: of the run.
            prepared: `data/prepared/<task>/`.
            software: digest of the software that decides the run.
            trial: number of the point that is tried, if this is a trial's run.
        """
        folder = self.root / "work" / key
        # What an interrupted attempt left is neither whole nor wanted.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return Job(plan, seed, key, prepared, folder, self.checkpoint(key), software, trial)

    def forget(self, key: str) -> None:
        """Remove the checkpoint of a run that has ended."""
        self.checkpoint(key).unlink(missing_ok=True)
