"""Finished runs, kept by what determines them.

DVC deletes a stage's outputs before it runs the stage again. Keeping each finished run under
its key, outside DVC's outputs, is what lets an interrupted stage go on where it stopped and an
added seed train alone.
"""

from __future__ import annotations

import functools
import platform
import shutil
from importlib import metadata
from pathlib import Path

from gatewise.artifacts import runs
from gatewise.artifacts.plan import RunPlan
from gatewise.errors import GatewiseError
from gatewise.files import digest, replacing, sha256

# Sources whose text can change a run's result; everything else may change freely.
DECISIVE = (
    "artifacts/prepared.py",
    "artifacts/runs.py",
    "artifacts/splits.py",
    "data/frontends/spectra.py",
    "models",
    "streams.py",
    "training",
)
LIBRARIES = ("numba", "numpy", "pytorch-lightning", "torch")


@functools.cache
def software_digest() -> str:
    """sha256 over the decisive sources and the versions of what computes."""
    root = Path(__file__).parent.parent
    files = sorted(
        path
        for name in DECISIVE
        for path in [root / name, *(root / name).rglob("*.py")]
        if path.is_file()
    )
    return digest(
        {
            "sources": {str(path.relative_to(root)): sha256(path) for path in files},
            "libraries": {name: metadata.version(name) for name in LIBRARIES},
            "machine": platform.machine(),
        }
    )


def run_key(plan: RunPlan, seed: int, data_digest: str) -> str:
    """sha256 of everything that determines one run."""
    decisive = plan.model_dump(mode="json", exclude={"seeds"})
    return digest({**decisive, "seed": seed, "data": data_digest, "software": software_digest()})


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
