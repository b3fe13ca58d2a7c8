"""`dvc.lock` as it lies here against the one that is committed.

A study that was run again, on whatever machine, leaves the lock as it was but for what the clock
decides: times of steps and epochs, and the pages and plots that show them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gatewise.config import yaml_file
from gatewise.errors import GatewiseError
from gatewise.files import replacing
from gatewise.repro import dvc
from gatewise.tracking import origin

LOCK = "dvc.lock"
CLOCKED = (
    "reports/cost",
    "reports/comparison.json",
    "reports/index.html",
    "reports/plots",
    "reports/summary.md",
)
"""What `profile` measures and what shows it. The scores, `reports/metrics.json`, are none of it."""


@dataclass(frozen=True)
class LockComparison:
    """The lock of the working directory beside a committed one."""

    stages: int
    """Stages of the pipeline as it is now."""
    equal: int
    """Those whose entries are the very same."""
    clocked: list[str] = field(default_factory=list)
    """Paths that differ as the clock differs."""
    differences: list[str] = field(default_factory=list)
    """All that is otherwise not as committed, a sentence each."""
    orphans: list[str] = field(default_factory=list)
    """Stages in the lock that the pipeline no longer has."""

    @property
    def sentence(self) -> str:
        """The comparison in one line."""
        if self.differences:
            return f"{LOCK} is not as committed: {len(self.differences)} entries differ"
        clocked = f" ({', '.join(self.clocked)})" if self.clocked else ""
        same = f"{LOCK} is as committed: {self.equal} of {self.stages} stages to the last digest"
        if self.equal == self.stages:
            return same
        return f"{same}, the others but for what the clock decides{clocked}"


def present_stages(root: str | Path = ".") -> set[str] | None:
    """Names of the stages that `dvc.yaml` and `params.yaml` give now; `None` without a pipeline.

    Raises:
        GatewiseError: DVC cannot read them.
    """
    if not Path(root, "dvc.yaml").is_file():
        return None
    return set(dvc.call("stage", "list", "--name-only", quiet=True).split())


def compare(revision: str = "HEAD") -> LockComparison:
    """The lock of the working directory beside that of `revision`.

    Raises:
        GatewiseError: one of them is missing or unreadable.
    """
    now = origin.locked_stages()
    if not now:
        raise GatewiseError(f"{LOCK}: missing or empty; run `dvc repro`")
    return compare_stages(committed(revision), now, present_stages())


def committed(revision: str) -> dict[str, Any]:
    """Stages of the lock of a git revision.

    Raises:
        GatewiseError: there is no such revision, or no lock in it.
    """
    shown = subprocess.run(
        ["git", "show", f"{revision}:./{LOCK}"], capture_output=True, text=True, check=False
    )
    if shown.returncode != 0:
        reason = (shown.stderr.strip().splitlines() or ["git said nothing"])[-1]
        raise GatewiseError(f"no {LOCK} in git's {revision}: {reason}")
    try:
        return dict(yaml_file.parse(shown.stdout, LOCK, yaml_file.MOST_LOCKED)["stages"])
    except (GatewiseError, TypeError, KeyError):
        raise GatewiseError(f"{LOCK} of {revision} is not readable") from None


def compare_stages(
    before: Mapping[str, Any], now: Mapping[str, Any], present: set[str] | None
) -> LockComparison:
    """As `compare`, of locks that are at hand.

    Args:
        before: stages as committed.
        now: stages as they are.
        present: names of the stages of the pipeline; all of `now` if `None`.
    """
    names = [name for name in now if present is None or name in present]
    missing = sorted((present or set(before)) - set(now))
    differences = [f"{name}: not in {LOCK}; run `dvc repro`" for name in missing]
    clocked: set[str] = set()
    equal = 0
    for name in names:
        if name not in before:
            differences.append(f"{name}: was not committed")
            continue
        equal += before[name] == now[name]
        for path, sentence in _stage_differences(name, before[name], now[name]):
            if _is_clocked(path):
                clocked.add(path)
            else:
                differences.append(sentence)
    orphans = sorted(set(now) - set(names))
    return LockComparison(len(names) + len(missing), equal, sorted(clocked), differences, orphans)


def drop_orphans(root: str | Path = ".") -> list[str]:
    """Take the stages that the pipeline no longer has out of `dvc.lock`; gives their names.

    The other lines stay as DVC wrote them.

    Raises:
        GatewiseError: the lock is missing or not readable, or there is no pipeline.
    """
    path = Path(root, LOCK)
    present = present_stages(root)
    if present is None:
        raise GatewiseError(f"{Path(root, 'dvc.yaml')}: missing, so no stage is known to be gone")
    orphans = sorted(set(origin.locked_stages(path)) - present)
    if orphans:
        text = path.read_bytes().decode()
        with replacing(path) as temporary:
            temporary.write_bytes(_without(text, orphans).encode())
    return orphans


def _without(text: str, orphans: list[str]) -> str:
    """The lock without some of its stages, each of which begins on a line of its own."""
    import yaml

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)  # noqa: S101 - it was read as a lock
    stages = next(value for key, value in root.value if key.value == "stages")
    begins = [text.rindex("\n", 0, key.start_mark.index) + 1 for key, _ in stages.value]
    ends = [*begins[1:], stages.end_mark.index]
    pieces = [text[: begins[0]]]
    for (key, _), begin, end in zip(stages.value, begins, ends, strict=True):
        if key.value not in orphans:
            pieces.append(text[begin:end])
    if len(pieces) == 1:  # a mapping has to have something in it
        pieces = [text[: text.rindex("stages:", 0, begins[0])], "stages: {}\n"]
    return "".join([*pieces, text[stages.end_mark.index :]])


def _stage_differences(
    name: str, before: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Paths whose digests differ, with a sentence each; a path of "" is the stage itself."""
    for role, what in (("deps", "dependency"), ("outs", "output")):
        old, new = _digests(before, role), _digests(now, role)
        for path in sorted({*old, *new}):
            if old.get(path) != new.get(path):
                was, is_now = (str(d.get(path, "nothing"))[:12] for d in (old, new))
                yield path, f"{name}: {what} {path} is {is_now}, committed was {was}"
    if {k: v for k, v in before.items() if k not in ("deps", "outs")} != {
        k: v for k, v in now.items() if k not in ("deps", "outs")
    }:
        yield "", f"{name}: its command or parameters are not those committed"


def _digests(stage: Mapping[str, Any], role: str) -> dict[str, str]:
    return {str(entry["path"]): str(entry.get("md5", "")) for entry in stage.get(role, ())}


def _is_clocked(path: str) -> bool:
    return any(path == known or path.startswith(f"{known}/") for known in CLOCKED)
