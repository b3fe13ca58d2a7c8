"""What `dvc.lock` and `run.json` claim about files, against the files themselves.

Digests are computed here, not taken from DVC's own records, so a lock that was edited by hand
is caught as surely as a file that was.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gatewise.artifacts import runs
from gatewise.artifacts.runs import RunRecord
from gatewise.config.metrics import METRICS
from gatewise.errors import GatewiseError
from gatewise.files import DamagedError

COMPILED = "__pycache__"
"""Left out by DVC, too (`.dvcignore`)."""


def md5(path: str | Path) -> str:
    """DVC's digest of a file, or of a folder (`.dir`: over its files' digests and paths).

    Raises:
        GatewiseError: it is not there.
    """
    path = Path(path)
    if path.is_file():
        return _file(path)
    if not path.is_dir():
        raise GatewiseError(f"{path}: missing; run `dvc pull` or `dvc repro`")
    files = sorted(p for p in path.rglob("*") if p.is_file() and COMPILED not in p.parts)
    listed = [{"md5": _file(p), "relpath": p.relative_to(path).as_posix()} for p in files]
    listed.sort(key=lambda entry: entry["relpath"])
    text = json.dumps(listed, sort_keys=True)
    return f"{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}.dir"


def _file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def lock(
    stages: Mapping[str, Any], names: Iterable[str] | None = None, root: str | Path = "."
) -> Iterator[str]:
    """Where the lock and the files differ, a sentence each.

    Args:
        stages: stages of `dvc.lock`.
        names: which of them to look at; all when left out.
        root: the project.
    """
    seen: dict[str, str] = {}
    for name in stages if names is None else names:
        stage = stages.get(name)
        if stage is None:
            yield f"{name}: not in dvc.lock"
            continue
        for role in ("deps", "outs"):
            for entry in stage.get(role, ()):
                path, claimed = str(entry["path"]), str(entry.get("md5", ""))
                try:
                    if path not in seen:  # most files stand under many stages
                        seen[path] = md5(Path(root) / path)
                except GatewiseError as error:
                    yield f"{name}: {error}"
                    continue
                found = seen[path]
                if found != claimed:
                    kind = "output" if role == "outs" else "dependency"
                    yield f"{name}: {kind} {path} is {found[:12]}, the lock claims {claimed[:12]}"


def run(folder: Path, record: RunRecord) -> Iterator[str]:
    """Where a run's files differ from its record, a sentence each."""
    for name in (runs.WEIGHTS, runs.PREDICTIONS):
        if not (folder / name).is_file():
            yield f"{record.name}: {name} is missing"
            return
    for what, check in (("weights", runs.check_weights), ("predictions", runs.check_predictions)):
        try:
            check(folder, record)
        except DamagedError as error:
            yield f"{record.name}: the {what} are not those that run.json names ({error})"
    try:
        found = runs.read_predictions(folder)
        counts = found.kind.counts(found.columns)[0]
    except DamagedError:
        return  # and said so above
    metric = METRICS[found.kind.metrics[0]]
    score, claimed = float(metric.from_counts(counts)), record.metrics["test"][metric.name]
    if not math.isclose(score, claimed, abs_tol=1e-6):
        yield (
            f"{record.name}: its predictions give a test {metric.title} of {score:.4f}, run.json "
            f"claims {claimed:.4f}"
        )
