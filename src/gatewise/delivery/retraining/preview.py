"""What a retraining would do and why: `gatewise retrain --dry-run`. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gatewise import config
from gatewise.config import Study
from gatewise.delivery.retraining import arrivals
from gatewise.repro import dvc
from gatewise.tracking import origin


@dataclass(frozen=True)
class Foreseen:
    """One stage that would run, or might."""

    stage: str
    why: str
    sure: bool
    """Whether it runs for certain, or only if what runs before it gives something new."""


def foresee() -> list[Foreseen]:
    """Stages that would run, in an order in which they could."""
    study = config.load()
    stale = _stale(study)
    certain = [Foreseen(stage, why, True) for stage, why in stale.items()]
    return certain + [
        Foreseen(stage, f"if {path} changes", False)
        for stage, path in _following(origin.locked_stages(), set(stale))
    ]


def sentences(stages: list[Foreseen], promote: bool, against: str) -> Iterator[str]:
    """For people."""
    for one in stages:
        yield f"{'would run' if one.sure else 'may run':9}  {one.stage}: {one.why}"
    if not stages:
        yield "nothing changed: no stage would run"
    yield (
        "then: restore from and push to the DVC remote"
        if dvc.has_remote()
        else ("then: no DVC remote, so nothing is restored or pushed")
    )
    yield f"then: gate against {against}" + (
        "; the champion would move if the gate says so" if promote else "; no champion would move"
    )


def _stale(study: Study) -> dict[str, str]:
    why: dict[str, str] = {}
    known = origin.locked_stages()
    for stage, changes in dvc.status().items():
        said = "; ".join(_words(changes)) or "changed"
        why[stage] = said if stage in known else "it never ran with this lock"
    for task, path in arrivals.changed(study).items():
        if path and f"fetch@{task}" not in why:
            why[f"fetch@{task}"] = f"the files at {path} changed or were never looked at"
    return why


def _words(changes: list[Any]) -> Iterator[str]:
    for change in changes:
        if isinstance(change, str):
            yield change  # "changed command", "always changed"
            continue
        for kind, paths in change.items():
            if isinstance(paths, Mapping):
                what = [f"{path} ({state})" for path, state in paths.items()]
                yield f"{kind}: {', '.join(what[:4])}" + f" and {len(what) - 4} more" * (
                    len(what) > 4
                )
            else:
                yield f"{kind}: {paths}"


def _following(locked: Mapping[str, Any], stale: set[str]) -> Iterator[tuple[str, str]]:
    """Stages that depend, directly or not, on a stale one; with the path that links them."""
    known = set(stale)
    outputs = {
        name: [str(out["path"]) for out in stage.get("outs", ())] for name, stage in locked.items()
    }
    while True:
        fresh = False
        for name, stage in locked.items():
            if name in known:
                continue
            needs = [str(dep["path"]) for dep in stage.get("deps", ())]
            link = next(
                (
                    need
                    for need in needs
                    for origin in known
                    for out in outputs.get(origin, ())
                    if _within(need, out) or _within(out, need)
                ),
                None,
            )
            if link is not None:
                known.add(name)
                fresh = True
                yield name, link
        if not fresh:
            return


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
