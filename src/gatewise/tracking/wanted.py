"""All runs that the store should hold, from the run folders and their comparison."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gatewise.artifacts import runs
from gatewise.artifacts.comparison import Comparison
from gatewise.artifacts.prepared import CARD
from gatewise.artifacts.runs import RunRecord
from gatewise.errors import GatewiseError
from gatewise.files import read_json
from gatewise.tracking import content, logged_models, origin, run_notes, study, trials, verdicts
from gatewise.tracking.content import Content

Member = tuple[Path, RunRecord]
"""A run folder and what it says of itself."""
Members = dict[str, list[Member]]
"""Run folders by the key of their parent run."""


class Wanted(NamedTuple):
    """A run that the store should hold."""

    content: Content
    parent: str | None
    """Key of its parent run."""


def members(root: str | Path) -> Members:
    """The run folders below `root`.

    Raises:
        GatewiseError: there are none, or a record is unreadable.
    """
    found: Members = {}
    for folder, record in runs.find(root):
        found.setdefault(content.parent_of(record).key, []).append((folder, record))
    if not found:
        raise GatewiseError(f"{root}: no finished runs; run `dvc repro` or `dvc pull` first")
    return found


def total(groups: Members) -> int:
    """How many runs these are, with their parents."""
    return len(groups) + sum(map(len, groups.values()))


def best(group: list[Member], prepared: Path) -> Member:
    """The run of a variant whose model is logged."""
    card = prepared / group[0][1].task / CARD
    return logged_models.best(group, read_json(card)["metric"] if card.is_file() else "accuracy")


def everything(
    groups: Members, reports: str | Path, comparison: Comparison | None = None
) -> Iterator[Wanted]:
    """All runs the store should hold, parents before their children."""
    stages = origin.locked_outputs()
    partners: dict[tuple[str, int], dict[str, str]] = {}
    for group in groups.values():
        for _folder, record in group:
            partners.setdefault((record.task, record.seed), {})[record.variant] = record.key
    for key, group in groups.items():
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
    for wanted, parent_key in trials.everything(group[0][1].task for group in groups.values()):
        yield Wanted(content.tagged(wanted, {content.CURRENT: "true"}), parent_key)
    if comparison is None:
        return
    keys = compared(groups, comparison)
    for task in keys:
        verdict = verdicts.of_task(task, comparison, _parents(groups, task))
        yield Wanted(content.tagged(verdict, {content.CURRENT: "true"}), None)
    if keys:
        whole = study.content(comparison, keys, reports)
        yield Wanted(content.tagged(whole, {content.CURRENT: "true"}), None)


def compared(groups: Members, comparison: Comparison) -> dict[str, str]:
    """Key of each task's comparison, for tasks that have runs here."""
    tasks = {group[0][1].task for group in groups.values()}
    return {
        task: verdicts.key(task, _parents(groups, task))
        for task in comparison.tasks
        if task in tasks
    }


def _parents(groups: Members, task: str) -> list[str]:
    return [key for key, group in groups.items() if group[0][1].task == task]
