"""Kills and full disks at random moments: a rerun gives what an undisturbed run gives."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

from benchmarks.hardening import project
from benchmarks.hardening.table import LOST, REFUSED, SURVIVED, Tally


def _fresh(base: Path, scratch: Path) -> Path:
    """A copy of the project of which nothing is left but its data."""
    folder = scratch / "killed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base, folder, symlinks=True)
    for name in ("runs", "reports", "data/plan", "data/prepared", ".gatewise", ".dvc/cache"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "dvc.lock").unlink(missing_ok=True)
    return folder


def killed(base: Path, scratch: Path, count: int, seed: int) -> Tally:
    """`dvc` is killed at random moments of a study, and started again, `count` times in all."""
    chance = random.Random(seed)  # noqa: S311  # nothing secret
    folder = _fresh(base, scratch)
    for _ in range(count):
        project.run(folder, "dvc", "repro", kill_after=chance.uniform(2, 40))
    return Tally("dvc killed", Counter({_end(folder, base): count}), "then one more run")


def full(base: Path, scratch: Path, count: int, seed: int) -> Tally:
    """No file may become larger than so many bytes; then there is room again."""
    chance = random.Random(seed)  # noqa: S311  # nothing secret
    folder, counts = _fresh(base, scratch), Counter[str]()
    for _ in range(count):
        limit = 2 ** chance.randrange(11, 16)
        said = project.run(folder, "dvc", "repro", largest_file=limit, seconds=300)
        told = said.in_words and "Traceback" not in said.output
        counts[REFUSED if told else SURVIVED if said.status == 0 else LOST] += 1
        if not told:
            print(f"at most {limit} bytes a file: {said.output[-1500:]}", flush=True)
    if _end(folder, base) == LOST:
        counts[LOST] += 1
    return Tally("no room for files", counts, "then one more run")


def _end(folder: Path, base: Path) -> str:
    said = project.run(folder, "dvc", "repro", seconds=600)
    same = said.status == 0 and project.results(folder) == project.results(base)
    if not same:
        print(said.output[-1500:], flush=True)
    return SURVIVED if same else LOST
