"""A task's answer as soon as its last run is there, while other tasks still train.

It rests on the runs alone: costs that the clock measures may come later, and `compare` has the
last word. Nothing is written and no result depends on it.
"""

from __future__ import annotations

from pathlib import Path

from gatewise.artifacts import runs, tuned
from gatewise.artifacts.answer import Answer
from gatewise.artifacts.plan import ComparePlan, RunPlan, path
from gatewise.artifacts.tuned import Tuned
from gatewise.errors import GatewiseError
from gatewise.evidence import comparison, task_evidence
from gatewise.execution.variant_runs import run_keys, settled


def say(task: str, root: str | Path = ".") -> None:
    """Print the answer in a line that begins `answer <task>: `, if all runs of the task are there.

    Whatever keeps runs from being compared is for `compare` to say: they are finished.
    """
    try:
        found = find(task, Path(root))
    except GatewiseError:
        return
    if found is not None:
        print(f"answer {task}: {found.sentence}.", flush=True)


def find(task: str, root: Path) -> Answer | None:
    """The answer, or `None` while a run is missing or was made by an earlier plan.

    Raises:
        GatewiseError: there is no plan, or the runs cannot be compared.
    """
    plans = root / "data" / "plan"
    study = ComparePlan.read(plans / "compare.json").study()
    there = {(r.variant, r.seed): r.key for _, r in runs.find(root / "runs", task)}
    for variant in study.variants:
        plan = RunPlan.read(path(task, variant, plans))
        chosen = Tuned.read(tuned.path(task, variant, root / "data" / "tuned"))
        keys = run_keys(settled(plan, chosen), root / "data" / "prepared" / task)
        for seed, key in keys.items():
            if there.get((variant, seed)) != key:
                return None
    return task_evidence.answer_of(study, task, comparison.gather_task(study, task, root))
