"""`seeds: auto`: reproduce the study, add seeds while pairs are undecided, and again.

Which seeds there are is a fact that a rerun elsewhere must know, so it is kept in `seeds.lock`,
on which the `plan` stage depends and which is committed as `dvc.lock` is. Runs that are finished
are found under their keys, so a round trains its new seeds alone.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from gatewise import config
from gatewise.artifacts.comparison import Comparison
from gatewise.evidence.comparison import more_seeds
from gatewise.files import replacing
from gatewise.repro import dvc, leftovers

HEADER = "# How many seeds `seeds: auto` has come to. Written by `gatewise repro`; commit it.\n"


def reproduce(repro: Callable[[], int], say: Callable[[str], None] = print) -> int:
    """Run `dvc repro` until every primary pair is decided or the cap is met.

    Where the number of seeds is fixed, that is once.

    Args:
        repro: runs `dvc repro` and gives its exit status.
        say: called with a sentence on what comes next.

    Returns:
        Exit status of the last `dvc repro`.
    """
    while True:
        status = repro()
        if status:
            return status
        study = config.load()
        if study.looks is None:
            return 0
        wanted = more_seeds(Comparison.read("reports/comparison.json"))
        if wanted is None:
            return 0
        say(f"\nsome primary pairs are undecided with {len(study.seed_list)} seeds; on to {wanted}")
        write(wanted)


def write(reached: int, path: str | Path = config.SEEDS_LOCK) -> None:
    """Note how many seeds the study has come to."""
    with replacing(path) as temporary:
        temporary.write_text(f"{HEADER}reached: {reached}\n", encoding="utf-8")


def dvc_repro() -> int:
    """`dvc repro` with this environment's own DVC, at this terminal; its exit status."""
    leftovers.mend_rwlock()
    leftovers.require_regular()
    process = subprocess.Popen([sys.executable, "-m", "dvc", "repro"], env=dvc.environment())
    # Ctrl-C reaches dvc by itself; it must be given the time to end its stage.
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue
