"""The mirror: compare the store with the run folders and add exactly what is missing.

Runs restored from a cache never train, so they leave nothing in MLflow by themselves; one
call of `mirror` gives a store the content that training would have given it, and one of
`check` says what differs. Runs of earlier studies are history and stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gatewise.artifacts import runs
from gatewise.config import TrackingConfig
from gatewise.errors import GatewiseError
from gatewise.tracking import (
    content,
    experiments,
    gaps,
    logged_models,
    notes,
    origin,
    review,
    verdicts,
    wanted,
)
from gatewise.tracking.connection import TrackingError
from gatewise.tracking.content import Content
from gatewise.tracking.lock import LOCK, exclusive
from gatewise.tracking.notes import Place
from gatewise.tracking.store import Store
from gatewise.tracking.wanted import Member

if TYPE_CHECKING:
    from mlflow.entities import Run

Progress = Callable[[str, int], None]
"""Told the name of the run looked at and how many there are."""


@dataclass
class Outcome:
    """What a mirror did."""

    added: list[str] = field(default_factory=list)
    """Names of runs that were not there."""
    completed: list[str] = field(default_factory=list)
    """Names of runs that lacked something."""
    unchanged: int = 0
    pages: list[str] = field(default_factory=list)
    """Experiments whose description, tags or views were written."""
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
    groups = wanted.members(root)
    for group in groups.values():
        for folder, record in group:
            runs.check_present(folder, record)
    comparison = verdicts.read(reports)
    with exclusive(lock):
        store = Store(config)
        once = origin.tags()
        outcome = Outcome()
        look = _Look(store)
        told: list[_Told] = []
        total = wanted.total(groups)
        for each in wanted.everything(groups, reports, comparison):
            this = each.content
            progress(this.name, total)
            run = look.find(this)
            parent = look.places[each.parent].run_id if each.parent else None
            tags = gaps.tags_alone(this, run, parent) if run is not None else None
            if run is not None and tags is not None:  # to be written with its description
                run_id, changed = run.info.run_id, bool(tags)
            else:
                run_id, changed = store.complete(this, run, parent, once)
            look.places[this.key] = Place(store.experiment(this.task), run_id)
            told.append(_Told(this.key, this.name, this.notes, run, changed, tags or {}))
        for group in groups.values():
            _mirror_model(store, group, Path(prepared), outcome)
        for one in told:  # now that every run has an id, they can be linked to each other
            place = look.places[one.key]
            text = notes.filled(one.notes, place, look.places)
            tags = one.tags | ({notes.TAG: text} if text and _note(one.run) != text else {})
            if tags:
                store.tag(place.run_id, tags)
            if one.run is None:
                outcome.added.append(one.name)
            elif one.changed:
                outcome.completed.append(one.name)
            else:
                outcome.unchanged += 1
        look.retire()
        if comparison is not None:
            written = experiments.update(store, comparison, groups)
            outcome.pages += written.pages
            outcome.notes += written.notes
            review.write_page(store, comparison.tasks, reports)
    return outcome


class _Told(NamedTuple):
    """A mirrored run that may still lack its description."""

    key: str
    name: str
    notes: str
    run: Run | None
    """As it was before."""
    changed: bool
    tags: dict[str, str]
    """Which it lacks besides."""


class _Look:
    """What the store holds, read once a task."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.places: dict[str, Place] = {}
        """Runs that are there by key."""
        self._held: dict[str, dict[str, Run]] = {}

    def find(self, sought: Content) -> Run | None:
        """The stored run, if there is one."""
        return self.of(sought.task).get(sought.key)

    def of(self, task: str) -> dict[str, Run]:
        """All runs of a task by key."""
        if task not in self._held:
            self._held[task] = self.store.all_runs(task)
        return self._held[task]

    def retire(self) -> None:
        """Mark runs of earlier studies, which stay."""
        for held in self._held.values():
            for key, run in held.items():
                if key not in self.places and run.data.tags.get(content.CURRENT) == "true":
                    self.store.mark(run.info.run_id, False)


def _note(run: Run | None) -> str | None:
    return run.data.tags.get(notes.TAG) if run else None


def _mirror_model(store: Store, group: list[Member], prepared: Path, outcome: Outcome) -> None:
    """Log a variant's best seed as a model, unless that was done before."""
    folder, record = wanted.best(group, prepared)
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
    groups = wanted.members(root)
    comparison = verdicts.read(reports)
    store = Store(config, create=False)
    differences: list[str] = []
    look = _Look(store)
    seen: set[str] = set()
    total = wanted.total(groups)
    told: list[_Told] = []
    for each in wanted.everything(groups, reports, comparison):
        this = each.content
        progress(this.name, total)
        if this.task not in seen:
            seen.add(this.task)
            look.of(this.task)
            differences += [
                f"{run.info.run_name}: a second run ({run.info.run_id}) has the same key"
                for run in store.doubles
            ]
        run = look.find(this)
        if run is None:
            differences.append(f"{this.name}: not in the store")
            continue
        look.places[this.key] = Place(run.info.experiment_id, run.info.run_id)
        told.append(_Told(this.key, this.name, this.notes, run, False, {}))
        parent = look.places.get(each.parent or "")
        lacks = gaps.of_run(this, run, parent.run_id if parent else None)
        lacks += store.hidden_gaps(this, run)
        if lacks:
            more = f" and {len(lacks) - 3} more" if len(lacks) > 3 else ""
            differences.append(f"{this.name}: {', '.join(lacks[:3])}{more}")
    for group in groups.values():
        folder, record = wanted.best(group, Path(prepared))
        whole = (folder / runs.WEIGHTS).is_file() and Path(prepared, record.task).is_dir()
        if whole and logged_models.find(store, record) is None:
            differences.append(f"model {record.task}/{record.variant}: not in the store")
    if differences:  # descriptions link to what is missing
        return differences
    for one in told:
        text = notes.filled(one.notes, look.places[one.key], look.places)
        if text and _note(one.run) != text:
            differences.append(f"{one.name}: its description")
    if comparison is not None:
        differences += experiments.differences(store, comparison, groups)
    return differences
