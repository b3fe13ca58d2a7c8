"""A task's answer as soon as its last run is there, while other tasks still train.

It rests on the runs alone: costs that the clock measures may come later, and `compare` has the
last word. Reads run folders, writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gatewise.artifacts import runs
from gatewise.artifacts.answer import Answer
from gatewise.config import Study
from gatewise.evidence import comparison, task_evidence


def find(
    study: Study, task: str, keys: Mapping[str, Mapping[int, str]], root: str | Path = "."
) -> Answer | None:
    """The answer of one task, if all of its runs are there.

    Args:
        study: what was declared.
        task: its name.
        keys: by variant and seed, the keys of the runs as they are planned now; a run folder that
            an earlier plan left has another.
        root: the project.

    Returns:
        `None` while a run is missing or was planned otherwise.
    """
    there = {(r.variant, r.seed): r.key for _, r in runs.find(Path(root) / "runs", task)}
    wanted = {(v, seed): key for v, by_seed in keys.items() for seed, key in by_seed.items()}
    if any(there.get(run) != key for run, key in wanted.items()):
        return None
    evidence = comparison.gather_task(study, task, root)
    return task_evidence.answer_of(study, task, evidence)
