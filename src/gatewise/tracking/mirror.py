"""The mirror: compare the store with the run folders and add exactly what is missing.

Runs restored from a cache never train, so they leave nothing in MLflow by themselves; one
call of `mirror` gives a store the content that training would have given it, and one of
`check` says what differs. Runs of earlier studies are history and stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gatewise.artifacts import runs
from gatewise.artifacts.prepared import CARD
from gatewise.artifacts.runs import RunRecord
from gatewise.config import TrackingConfig
from gatewise.errors import GatewiseError
from gatewise.files import read_json, try_lock
from gatewise.tracking import content, logged_models, origin, trials, verdicts
from gatewise.tracking.connection import TrackingError
from gatewise.tracking.content import Content
from gatewise.tracking.store import Store

if TYPE_CHECKING:
    from filelock import AcquireReturnProxy, FileLock
    from mlflow.entities import Run

LOCK = Path(".gatewise/track.lock")
Progress = Callable[[str, int], None]
"""Told the name of the run looked at and how many there are."""


class Wanted(NamedTuple):
    """A run that the store should hold."""

    content: Content
    parent: str | None
    """Key of its parent run."""


@dataclass
class Outcome:
    """What a mirror did."""

    added: list[str] = field(default_factory=list)
    """Names of runs that were not there."""
    completed: list[str] = field(default_factory=list)
    """Names of runs that lacked something."""
    unchanged: int = 0
    notes: list[str] = field(default_factory=list)
    """What could not be done, and why."""

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
    reports: str | Path = "reports",
    prepared: str | Path = "data/prepared",
    *,
    lock: Path = LOCK,
    progress: Progress = lambda _name, _total: None,
) -> Outcome:
    """Add to the store whatever it lacks of the runs below `root` and their comparison.

    Args:
        config: the store.
        root: folder of run folders.
        reports: folder of `comparison.json` and the report, where they were made.
        prepared: folder of prepared tasks, whose front ends go into the models.
        lock: file that keeps two mirrors of one project from working at once.
        progress: see `Progress`.

    Raises:
        GatewiseError: there are no runs, another mirror is at work, or a record is unreadable.
        TrackingError: the store cannot be used.
    """
    members = _members(root)
    with exclusive(lock):
        store = Store(config)
        once = origin.tags()
        outcome = Outcome()
        held: dict[str, dict[str, Run]] = {}
        ids: dict[str, str] = {}
        total = _total(members)
        for wanted in everything(members, reports):
            this = wanted.content
            progress(this.name, total)
            if this.task not in held:
                held[this.task] = store.all_runs(this.task)
            run = held[this.task].get(this.key)
            parent = ids[wanted.parent] if wanted.parent else None
            ids[this.key], changed = store.complete(this, run, parent, once)
            if run is None:
                outcome.added.append(this.name)
            elif changed:
                outcome.completed.append(this.name)
            else:
                outcome.unchanged += 1
        for group in members.values():
            _mirror_model(store, group, Path(prepared), outcome)
    return outcome


def _mirror_model(store: Store, group: list[Member], prepared: Path, outcome: Outcome) -> None:
    """Log a variant's best seed as a model, unless that was done before."""
    folder, record = _best(group, prepared)
    if logged_models.find(store, record) is not None:
        return
    run = store.find(record.task, record.key)
    try:
        assert run is not None  # noqa: S101  # it was just mirrored
        logged_models.log(store, run, folder, record, prepared)
    except TrackingError:
        raise
    except GatewiseError as error:
        outcome.notes.append(f"no model for {record.task}/{record.variant}: {error}")
    else:
        outcome.added.append(f"model {record.task}/{record.variant}")


def _best(group: list[Member], prepared: Path) -> Member:
    card = prepared / group[0][1].task / CARD
    return logged_models.best(group, read_json(card)["metric"] if card.is_file() else "accuracy")


def check(
    config: TrackingConfig,
    root: str | Path = "runs",
    reports: str | Path = "reports",
    prepared: str | Path = "data/prepared",
    *,
    progress: Progress = lambda _name, _total: None,
) -> list[str]:
    """Differences between the store and the run folders, a sentence each; writes nothing.

    Every point of every curve and every artifact is looked at.

    Raises:
        GatewiseError: there are no runs or a record is unreadable.
        TrackingError: the store cannot be used.
    """
    members = _members(root)
    store = Store(config, create=False)
    differences: list[str] = []
    held: dict[str, dict[str, Run]] = {}
    ids: dict[str, str] = {}
    total = _total(members)
    for wanted in everything(members, reports):
        this = wanted.content
        progress(this.name, total)
        if this.task not in held:
            held[this.task] = store.all_runs(this.task)
            differences += [
                f"{run.info.run_name}: a second run ({run.info.run_id}) has the same key"
                for run in store.doubles
            ]
        run = held[this.task].get(this.key)
        if run is None:
            differences.append(f"{this.name}: not in the store")
            continue
        ids[this.key] = run.info.run_id
        gaps = store.gaps(this, run, ids.get(wanted.parent or ""))
        gaps += store.hidden_gaps(this, run)
        if gaps:
            more = f" and {len(gaps) - 3} more" if len(gaps) > 3 else ""
            differences.append(f"{this.name}: {', '.join(gaps[:3])}{more}")
    for group in members.values():
        folder, record = _best(group, Path(prepared))
        whole = (folder / runs.WEIGHTS).is_file() and Path(prepared, record.task).is_dir()
        if whole and logged_models.find(store, record) is None:
            differences.append(f"model {record.task}/{record.variant}: not in the store")
    return differences


def everything(members: dict[str, list[Member]], reports: str | Path) -> Iterator[Wanted]:
    """All runs the store should hold, parents before their children."""
    comparison = verdicts.read(reports)
    stages = origin.locked_outputs()
    by_task: dict[str, list[str]] = {}
    for key, group in members.items():
        record = group[0][1]
        task, variant = record.task, record.variant
        by_task.setdefault(task, []).append(key)
        lock = stages.get(f"train@{task}-{variant}")
        extra = {"dvc.lock": lock} if lock else {}
        parent = content.with_aggregates(
            content.parent_of(record),
            group,
            verdicts.interval(comparison, task, variant, [r for _folder, r in group]),
            verdicts.variant_notes(comparison, task, variant),
        )
        yield Wanted(content.tagged(parent, extra), None)
        for folder, _record in group:
            yield Wanted(content.tagged(content.from_folder(folder), extra), key)
    for task, keys in by_task.items():
        if comparison and task in comparison.tasks:
            yield Wanted(verdicts.of_task(task, comparison, keys, reports), None)
    for wanted, parent_key in trials.everything(by_task):
        yield Wanted(wanted, parent_key)


def exclusive(lock: Path) -> AcquireReturnProxy[FileLock]:
    """Hold the project's tracking lock.

    Raises:
        TrackingError: another process holds it.
    """
    held = try_lock(lock)
    if held is None:
        raise TrackingError(
            "another `gatewise track` is at work on this project; wait until it has finished"
        )
    return held


Member = tuple[Path, RunRecord]


def _members(root: str | Path) -> dict[str, list[Member]]:
    """Run folders by the key of their parent run."""
    members: dict[str, list[Member]] = {}
    for folder, record in runs.find(root):
        members.setdefault(content.parent_of(record).key, []).append((folder, record))
    if not members:
        raise GatewiseError(f"{root}: no finished runs; run `dvc repro` or `dvc pull` first")
    return members


def _total(members: dict[str, list[Member]]) -> int:
    return len(members) + sum(map(len, members.values()))
