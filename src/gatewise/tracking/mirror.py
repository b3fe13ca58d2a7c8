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
from gatewise.artifacts.comparison import Comparison
from gatewise.artifacts.prepared import CARD
from gatewise.artifacts.runs import RunRecord
from gatewise.config import TrackingConfig
from gatewise.errors import GatewiseError
from gatewise.files import read_json, try_lock
from gatewise.tracking import (
    connection,
    content,
    logged_models,
    notes,
    origin,
    pages,
    run_notes,
    study,
    trials,
    verdicts,
    views,
)
from gatewise.tracking.connection import TrackingError
from gatewise.tracking.content import Content
from gatewise.tracking.notes import Place
from gatewise.tracking.pages import Page
from gatewise.tracking.registry import CHAMPION, Registry
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
    members = _members(root)
    for group in members.values():
        for folder, record in group:
            runs.check_present(folder, record)
    comparison = verdicts.read(reports)
    with exclusive(lock):
        store = Store(config)
        once = origin.tags()
        outcome = Outcome()
        look = _Look(store)
        told: list[_Told] = []
        total = _total(members)
        for wanted in everything(members, reports, comparison):
            this = wanted.content
            progress(this.name, total)
            run = look.find(this)
            parent = look.places[wanted.parent].run_id if wanted.parent else None
            run_id, changed = store.complete(this, run, parent, once)
            look.places[this.key] = Place(store.experiment(this.task), run_id)
            told.append(_Told(this.key, this.name, this.notes, run, changed))
        for group in members.values():
            _mirror_model(store, group, Path(prepared), outcome)
        for one in told:  # now that every run has an id, they can be linked to each other
            place = look.places[one.key]
            text = notes.filled(one.notes, place, look.places)
            if text and _note(one.run) != text:
                store.describe(place.run_id, text)
            if one.run is None:
                outcome.added.append(one.name)
            elif one.changed:
                outcome.completed.append(one.name)
            else:
                outcome.unchanged += 1
        look.retire()
        if comparison is not None:
            _mirror_pages(store, comparison, members, outcome)
    return outcome


class _Told(NamedTuple):
    """A mirrored run that may still lack its description."""

    key: str
    name: str
    notes: str
    run: Run | None
    """As it was before."""
    changed: bool


class _Look:
    """What the store holds, read once a task."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.places: dict[str, Place] = {}
        """Runs that are there by key."""
        self._held: dict[str, dict[str, Run]] = {}

    def find(self, wanted: Content) -> Run | None:
        """The stored run, if there is one."""
        return self.of(wanted.task).get(wanted.key)

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


def _mirror_pages(
    store: Store, comparison: Comparison, members: dict[str, list[Member]], outcome: Outcome
) -> None:
    """Bring the experiments' descriptions, tags and views up to date."""
    reason = views.unsupported(connection.version(store.uri))
    if reason is not None:
        outcome.notes.append(reason)
    for task in _compared(members, comparison):
        Registry(store, task).describe()
    for page in _pages(store, comparison, members):
        if pages.update(store, page, with_views=reason is None):
            outcome.pages.append(page.name)


def refresh_pages(
    config: TrackingConfig,
    root: str | Path = "runs",
    reports: str | Path = "reports",
    *,
    lock: Path = LOCK,
) -> None:
    """Bring the experiments' pages up to date after a champion has moved.

    Nothing is done where there is no comparison, no run or a mirror at work, which does it anyway.
    """
    comparison = verdicts.read(reports)
    if comparison is None:
        return
    try:
        with exclusive(lock):
            _mirror_pages(Store(config), comparison, _members(root), Outcome())
    except GatewiseError:
        return


def _pages(
    store: Store, comparison: Comparison, members: dict[str, list[Member]]
) -> Iterator[Page]:
    """The pages of all experiments that the mirror has filled."""
    keys = _compared(members, comparison)
    whole = store.find(study.NAME, study.key(keys.values()))
    for task, key in keys.items():
        parents = {k for k, group in members.items() if group[0][1].task == task}
        wanted = {key, *parents, *(r.key for k in parents for _folder, r in members[k])}
        runs = {k: run for k, run in store.all_runs(task).items() if k in wanted}
        registry = Registry(store, task)
        champion = registry.version(CHAMPION)
        in_use = champion.run_id if champion is not None else None
        yield pages.of_task(store, task, comparison, runs, whole, in_use)
    if whole is not None:
        yield pages.of_study(store, comparison, whole)


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
    comparison = verdicts.read(reports)
    store = Store(config, create=False)
    differences: list[str] = []
    look = _Look(store)
    seen: set[str] = set()
    total = _total(members)
    told: list[_Told] = []
    for wanted in everything(members, reports, comparison):
        this = wanted.content
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
        told.append(_Told(this.key, this.name, this.notes, run, False))
        parent = look.places.get(wanted.parent or "")
        gaps = store.gaps(this, run, parent.run_id if parent else None)
        gaps += store.hidden_gaps(this, run)
        if gaps:
            more = f" and {len(gaps) - 3} more" if len(gaps) > 3 else ""
            differences.append(f"{this.name}: {', '.join(gaps[:3])}{more}")
    for group in members.values():
        folder, record = _best(group, Path(prepared))
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
        supported = views.unsupported(connection.version(store.uri)) is None
        for page in _pages(store, comparison, members):
            missing, stale = pages.lacking(store, page, with_views=supported)
            if missing or stale:
                differences.append(f"experiment {page.name}: {', '.join([*missing, *stale])}")
    return differences


def everything(
    members: dict[str, list[Member]], reports: str | Path, comparison: Comparison | None = None
) -> Iterator[Wanted]:
    """All runs the store should hold, parents before their children."""
    stages = origin.locked_outputs()
    partners: dict[tuple[str, int], dict[str, str]] = {}
    for group in members.values():
        for _folder, record in group:
            partners.setdefault((record.task, record.seed), {})[record.variant] = record.key
    for key, group in members.items():
        record = group[0][1]
        task, variant = record.task, record.variant
        lock = stages.get(f"train@{task}-{variant}")
        extra = {"dvc.lock": lock} if lock else {}
        parent = content.with_aggregates(
            content.parent_of(record),
            group,
            verdicts.known(comparison, task, variant, [r for _folder, r in group]),
            verdicts.variant_notes(comparison, task, variant),
        )
        yield Wanted(content.tagged(parent, extra), None)
        siblings = [record for _folder, record in group]
        for folder, record in group:
            opening = run_notes.opening(record, siblings, key, partners)
            seed = content.opened(content.from_folder(folder), opening)
            yield Wanted(content.tagged(seed, extra), key)
    for wanted, parent_key in trials.everything(group[0][1].task for group in members.values()):
        yield Wanted(wanted, parent_key)
    if comparison is None:
        return
    keys = _compared(members, comparison)
    for task in keys:
        verdict = verdicts.of_task(task, comparison, _parents(members, task))
        yield Wanted(content.tagged(verdict, {content.CURRENT: "true"}), None)
    if keys:
        whole = study.content(comparison, keys, reports)
        yield Wanted(content.tagged(whole, {content.CURRENT: "true"}), None)


def _parents(members: dict[str, list[Member]], task: str) -> list[str]:
    return [key for key, group in members.items() if group[0][1].task == task]


def _compared(members: dict[str, list[Member]], comparison: Comparison) -> dict[str, str]:
    """Key of each task's comparison, for tasks that have runs here."""
    tasks = {group[0][1].task for group in members.values()}
    return {
        task: verdicts.key(task, _parents(members, task))
        for task in comparison.tasks
        if task in tasks
    }


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
