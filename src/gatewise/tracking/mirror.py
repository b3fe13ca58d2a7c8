"""The mirror: compare the store with the run folders and add exactly what is missing.

Runs restored from a cache never train, so they leave nothing in MLflow by themselves; one
call of `mirror` gives a store the content that training would have given it. Calling it again
changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from gatewise import runs
from gatewise.config import TrackingConfig
from gatewise.errors import GatewiseError
from gatewise.runs import RunRecord
from gatewise.tracking import content, origin
from gatewise.tracking.store import Store, TrackingError

if TYPE_CHECKING:
    from mlflow.entities import Run

LOCK = Path(".gatewise/track.lock")


@dataclass
class Outcome:
    """What a mirror did."""

    added: list[str] = field(default_factory=list)
    """Names of runs that were not there."""
    completed: list[str] = field(default_factory=list)
    """Names of runs that lacked something."""
    unchanged: int = 0

    @property
    def sentence(self) -> str:
        """For people."""
        total = len(self.added) + len(self.completed) + self.unchanged
        return (
            f"{total} runs: {len(self.added)} added, {len(self.completed)} completed, "
            f"{self.unchanged} were whole"
        )


def mirror(
    config: TrackingConfig,
    root: str | Path = "runs",
    *,
    lock: Path = LOCK,
    progress: Callable[[str], None] = lambda _name: None,
) -> Outcome:
    """Add to the store whatever of the runs below `root` it lacks.

    Args:
        config: the store.
        root: folder of run folders.
        lock: file that keeps two mirrors of one project from working at once.
        progress: told the name of each run that is looked at.

    Raises:
        GatewiseError: there are no runs, another mirror is at work, or a record is unreadable.
        TrackingError: the store cannot be used.
    """
    groups = _groups(root)
    if not groups:
        raise GatewiseError(f"{root}: no finished runs; run `dvc repro` or `dvc pull` first")
    with exclusive(lock):
        store = Store(config)
        once = origin.tags()
        outcome = Outcome()
        held: dict[str, dict[str, Run]] = {}
        for members in groups.values():
            records = [record for _folder, record in members]
            task = records[0].task
            if task not in held:
                held[task] = store.all_runs(task)
            known = held[task]
            parent = content.with_aggregates(content.parent_of(records[0]), records)
            parent_run = known.get(parent.key)
            if parent_run is None:
                parent_id, _ = store.complete(parent, None, once=once)
                outcome.added.append(parent.name)
            else:
                parent_id = parent_run.info.run_id
                _settle(store, parent, parent_run, None, outcome)
            for folder, _record in members:
                wanted = content.from_folder(folder)
                progress(wanted.name)
                run = known.get(wanted.key)
                if run is None:
                    store.complete(wanted, None, parent_id, once)
                    outcome.added.append(wanted.name)
                else:
                    _settle(store, wanted, run, parent_id, outcome)
    return outcome


def exclusive(lock: Path) -> FileLock:
    """Hold the project's tracking lock.

    Raises:
        TrackingError: another process holds it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(lock)
    try:
        held.acquire(timeout=0)
    except Timeout:
        raise TrackingError(
            "another `gatewise track` is at work on this project; wait until it has finished"
        ) from None
    return held


def _settle(
    store: Store,
    wanted: content.Content,
    run: Run,
    parent_id: str | None,
    outcome: Outcome,
) -> None:
    if store.is_complete(wanted, run, parent_id):
        outcome.unchanged += 1
    else:
        store.complete(wanted, run, parent_id)
        outcome.completed.append(wanted.name)


def _groups(root: str | Path) -> dict[str, list[tuple[Path, RunRecord]]]:
    """Run folders by the key of their parent run."""
    members: dict[str, list[tuple[Path, RunRecord]]] = {}
    for folder, record in runs.find(root):
        members.setdefault(content.parent_of(record).key, []).append((folder, record))
    return members
