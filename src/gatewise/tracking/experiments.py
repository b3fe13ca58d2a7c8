"""The pages of all experiments of a study: written with the mirror, and when a champion moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gatewise.artifacts.comparison import Comparison
from gatewise.config import TrackingConfig
from gatewise.errors import GatewiseError
from gatewise.tracking import connection, pages, study, verdicts, views, wanted
from gatewise.tracking.lock import LOCK, exclusive
from gatewise.tracking.pages import Page
from gatewise.tracking.registry import CHAMPION, Registry
from gatewise.tracking.store import Store
from gatewise.tracking.wanted import Members


class Written(NamedTuple):
    """What became of the pages."""

    pages: list[str]
    """Experiments whose description, tags or views were written."""
    notes: list[str]
    """What could not be done, and why."""


def update(store: Store, comparison: Comparison, groups: Members) -> Written:
    """Bring the experiments' descriptions, tags and views up to date."""
    reason = views.unsupported(connection.version(store.uri))
    for task in wanted.compared(groups, comparison):
        Registry(store, task).describe()
    written = [
        page.name
        for page in _pages(store, comparison, groups)
        if pages.update(store, page, with_views=reason is None)
    ]
    return Written(written, [] if reason is None else [reason])


def differences(store: Store, comparison: Comparison, groups: Members) -> list[str]:
    """Experiments whose pages are not up to date, a sentence each; writes nothing."""
    supported = views.unsupported(connection.version(store.uri)) is None
    found = []
    for page in _pages(store, comparison, groups):
        missing, stale = pages.lacking(store, page, with_views=supported)
        if missing or stale:
            found.append(f"experiment {page.name}: {', '.join([*missing, *stale])}")
    return found


def refresh(
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
            update(Store(config), comparison, wanted.members(root))
    except GatewiseError:
        return


def _pages(store: Store, comparison: Comparison, groups: Members) -> Iterator[Page]:
    """The pages of all experiments that the mirror has filled."""
    keys = wanted.compared(groups, comparison)
    whole = store.find(study.NAME, study.key(keys.values()))
    for task, key in keys.items():
        parents = {k for k, group in groups.items() if group[0][1].task == task}
        ours = {key, *parents, *(r.key for k in parents for _folder, r in groups[k])}
        runs = {k: run for k, run in store.all_runs(task).items() if k in ours}
        champion = Registry(store, task).version(CHAMPION)
        in_use = champion.run_id if champion is not None else None
        yield pages.of_task(store, task, comparison, runs, whole, in_use)
    if whole is not None:
        yield pages.of_study(store, comparison, whole)
