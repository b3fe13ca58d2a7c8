"""Every file that the pipeline writes, in every kind of damage: what its readers make of it."""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.hardening import damage, project
from benchmarks.hardening.table import LOST, REFUSED, SURVIVED, Tally

PATTERNS = (
    "data/plan/**/*.json", "data/raw/*/*", "data/prepared/*/*", "runs/*/*/*/*",
    "runs/*/*/metrics.json", "reports/data/*.json", "reports/baselines/*.json",
    "reports/comparison.json", ".gatewise/runs/*/*/*", ".gatewise/kept/*/*/**/*",
    "params.yaml", "seeds.lock", "kept/*.zip",
)  # fmt: skip


def cases(folder: Path, count: int, seed: int) -> list[tuple[str, str]]:
    """Pairs of a file and a kind of damage; one of each name in each place, or `count` of them."""
    chosen: dict[tuple[str, str], str] = {}
    for number, pattern in enumerate(PATTERNS):
        for path in sorted(folder.glob(pattern)):
            if path.is_file():
                place = re.sub(r"[0-9a-f]{64}", "", path.name)
                chosen.setdefault((str(number), place), str(path.relative_to(folder)))
    every = [(name, kind) for name in chosen.values() for kind in damage.KINDS]
    random.Random(seed).shuffle(every)  # noqa: S311  # nothing secret
    return every[:count] if count else every


def commands(name: str) -> list[list[str]]:
    """What reads the file `name`, nearest first."""
    # Not plain `dvc repro`: DVC itself waits for ever on a pipe among its outputs.
    repro = [["gatewise.cli.main", "repro"]]
    parts = name.split("/")
    if name.startswith("kept/"):
        task = "sounds" if "sounds" in name else "texts"
        return [["gatewise.cli.main", "gate", "--against", name, "--task", task]]
    if name.startswith(".gatewise/runs/"):
        return [["dvc", "repro", "-f", "-s", *_trains()], *repro]
    if name.startswith(".gatewise/kept/"):
        return [["dvc", "repro", "-f", "-s", f"{parts[2]}@{parts[3]}"], *repro]
    if name.startswith("runs/") and parts[-1] in ("weights.safetensors", "run.json"):
        item = ["--text", "a fine film"] if parts[1] == "texts" else ["mine/sounds/low/s0_0.wav"]
        return [["gatewise.cli.main", "predict", "/".join(parts[:4]), *item], *repro]
    if name.startswith("runs/"):
        return [["pipeline.compare"], *repro]
    return repro


def _trains() -> list[str]:
    return [f"train@{t}-{v}" for t in project.STUDY["tasks"] for v in project.STUDY["variants"]]


def outcome(base: Path, scratch: Path, name: str, kind: str, warm: Mapping[str, str]) -> str:
    """What became of the study when `name` was damaged."""
    folder = scratch / "case"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base, folder, symlinks=True)
    wanted = project.results(base)
    damage.spoil(folder / name, kind, seed=hash_of(name, kind))
    refused = False
    for command in commands(name):
        said = project.run(folder, *command, variables=warm)
        if said.status == 0:
            continue
        if said.in_words or (said.status and name.startswith("kept/")):
            refused = True
            continue
        ending = "no end" if said.status is None else "a traceback"
        return f"{LOST}: {ending}: {name}, {kind}: {said.output[-400:]}"
    whole = project.results(folder) if not refused else wanted
    # What people write is theirs: another number in it is another study.
    if whole != wanted and name not in ("params.yaml", "seeds.lock"):
        changed = [path for path in wanted if whole.get(path) != wanted[path]]
        return f"{LOST}: other results: {name}, {kind}: {changed[:3]}"
    return REFUSED if refused else SURVIVED


def hash_of(name: str, kind: str) -> int:
    """A number that is the same in every process."""
    return int.from_bytes(f"{name} {kind}".encode()[-8:], "big")


def tried(
    base: Path, scratch: Path, count: int, seed: int, warm: Mapping[str, str]
) -> Iterator[Tally]:
    """A tally for each damaged file."""
    for name, kind in cases(base, count, seed):
        found = outcome(base, scratch, name, kind, warm)
        print(f"{name}, {kind}: {found[:600]}", flush=True)
        yield Tally(f"file: {kind}", Counter([found.partition(":")[0]]))
