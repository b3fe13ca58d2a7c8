"""Every file that the pipeline writes, in every kind of damage: what its readers make of it."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.hardening import damage, project, readers, warm_commands
from benchmarks.hardening.copies import Copy
from benchmarks.hardening.project import Said
from benchmarks.hardening.table import LOST, REFUSED, SURVIVED, Tally

PLACES = ("data", "runs", "reports", ".gatewise/runs", ".gatewise/trials", ".gatewise/kept", "kept")
SINGLE = ("params.yaml", "seeds.lock", "tuning.lock", "dvc.lock", ".dvc/tmp/rwlock")
WRITTEN_BY_PEOPLE = ("params.yaml", "seeds.lock", "tuning.lock")
"""Another number in these is another study, not damage."""


def written(folder: Path) -> list[str]:
    """Every file that the pipeline has written in the reproduced project `folder`."""
    found = [path for place in PLACES for path in sorted((folder / place).rglob("*"))]
    names = [str(path.relative_to(folder)) for path in found if path.is_file()]
    mine = ("data/README.md", "data/synthetic")
    return [name for name in names if not name.startswith(mine)] + list(SINGLE)


def kind_of_file(name: str) -> str:
    """What a file is, whichever task, seed, variant or key it belongs to."""
    plain = re.sub(r"/[0-9a-f]{2}/[0-9a-f]{64}/", "/<key>/", name)
    plain = re.sub(r"seed-\d+", "seed", plain)
    variants, tasks = ("|".join(project.STUDY[key]) for key in ("variants", "tasks"))
    plain = re.sub(rf"\b({variants})\b", "<variant>", plain)
    return re.sub(rf"\b({tasks})\b", "<task>", plain)


def cases(folder: Path, count: int | None, seed: int) -> list[tuple[str, str]]:
    """Pairs of a file and a kind of damage, shuffled.

    Args:
        folder: a reproduced project.
        count: so many of them; 0: one file of each kind of file in every kind of damage; None:
            every file in every kind of damage.
        seed: of the order, and of which file stands for its kind.
    """
    chance = random.Random(seed)  # noqa: S311  # nothing secret
    names = written(folder)
    chance.shuffle(names)
    chosen = names if count is None else list({kind_of_file(name): name for name in names}.values())
    every = [(name, kind) for name in chosen for kind in damage.KINDS]
    chance.shuffle(every)
    return every[:count] if count else every


def quick(copy: Copy, name: str, kind: str, address: str) -> str:
    """What the commands that read the file `name` make of it when it is damaged."""
    path, whole = copy.folder / name, (copy.base / name).read_bytes()
    damage.spoil(path, kind, seed=hash_of(name, kind))
    refused = False
    for command in readers.of(copy.base, name):
        if name.startswith(".gatewise/") and _same(path, whole):
            break  # made anew by the one that uses it; the others do not
        if refused and command[0] == "dvc":
            break  # `gatewise repro` would not have started it
        said = warm_commands.run(address, copy.folder, command)
        if (why := failure(said, command[0])) is not None:
            return f"{LOST}: {' '.join(command)}: {why}"
        refused = refused or said.status != 0
    if refused:
        return REFUSED
    if _same(path, whole) and project.results(copy.folder) == project.results(copy.base):
        return SURVIVED
    if name.startswith((".gatewise/", "kept/", ".dvc/")) or name in WRITTEN_BY_PEOPLE:
        same = project.results(copy.folder) == project.results(copy.base)
        return SURVIVED if same or name in WRITTEN_BY_PEOPLE else f"{LOST}: other results"
    # It lies there as DVC did not leave it: the next `dvc repro` must make it anew.
    said = warm_commands.run(address, copy.folder, ("dvc", "status", "--json"))
    if (why := failure(said, "dvc")) is not None:
        return f"{LOST}: dvc status: {why}"
    if said.status:
        return REFUSED
    changed = json.loads(said.output[said.output.index("{") :])
    return SURVIVED if changed else f"{LOST}: nobody notices"


def _same(path: Path, whole: bytes) -> bool:
    return path.is_file() and not path.is_symlink() and path.read_bytes() == whole


def failure(said: Said, program: str = "") -> str | None:
    """How a command failed that did not end well; nothing if it ended as it should.

    Args:
        said: how it ended.
        program: its module; DVC says of its own files what is wrong without a word before it.
    """
    if said.status is None:
        return f"no end: {said.output[-300:]}"
    if "Traceback" in said.output:
        return f"a traceback: {said.output[-500:]}"
    in_words = said.in_words or (program == "dvc" and said.status == 1 and said.output.strip())
    if said.status and not in_words:
        return f"status {said.status} without a sentence: {said.output[-300:]}"
    return None


def through(base: Path, scratch: Path, name: str, kind: str, warm: dict[str, str]) -> str:
    """What becomes of the whole study: `gatewise repro` after the file `name` was damaged."""
    folder = scratch / "case"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base, folder, symlinks=True)
    damage.spoil(folder / name, kind, seed=hash_of(name, kind))
    said = project.run(folder, "gatewise.cli.main", "repro", variables=warm, seconds=600)
    if (why := failure(said)) is not None:
        return f"{LOST}: gatewise repro: {why}"
    if said.status:
        return REFUSED
    if name in WRITTEN_BY_PEOPLE or project.results(folder) == project.results(base):
        return SURVIVED
    wanted, whole = project.results(base), project.results(folder)
    return (
        f"{LOST}: other results: {[path for path in wanted if whole.get(path) != wanted[path]][:3]}"
    )


def hash_of(name: str, kind: str) -> int:
    """A number that is the same in every process."""
    return int.from_bytes(f"{name} {kind}".encode()[-8:], "big")


def tried(base: Path, scratch: Path, count: int | None, whole: int, seed: int) -> Iterator[Tally]:
    """A tally for each damaged file: by its readers, and some through the whole study."""
    address = warm_commands.start()
    copy = Copy(base, scratch / "copy")
    for name, kind in cases(base, count, seed):
        found = quick(copy, name, kind, address)
        copy.restore(name)
        if found.startswith(LOST):
            print(f"{name}, {kind}: {found[:900]}", flush=True)
        yield Tally(f"file: {kind}", Counter([found.partition(":")[0]]))
    from gatewise.execution import warm

    for name, kind in cases(base, 0, seed + 1)[:whole]:
        found = through(base, scratch, name, kind, {warm.ADDRESS: address})
        if found.startswith(LOST):
            print(f"{name}, {kind}: {found[:900]}", flush=True)
        yield Tally(
            "file, then `gatewise repro`", Counter([found.partition(":")[0]]), "of all kinds"
        )
