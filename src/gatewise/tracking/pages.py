"""What MLflow shows of an experiment as such: description, tags, saved views.

All of it hangs on the experiment, is made from the comparison and the runs that the store holds,
and is rebuilt by every mirror; what people wrote under other names is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gatewise.artifacts.comparison import Comparison, TaskComparison
from gatewise.files import digest
from gatewise.report import words
from gatewise.tracking import answers, links, names, notes, origin, study, task_views, trials, views
from gatewise.tracking.connection import explained
from gatewise.tracking.gaps import differing
from gatewise.tracking.store import Store
from gatewise.tracking.views import View

if TYPE_CHECKING:
    from mlflow.entities import Run

LENGTH = views.LONGEST_TAG


@dataclass(frozen=True)
class Page:
    """An experiment's description, tags and views."""

    name: str
    """Of the task, or of the study."""
    description: str
    tags: Mapping[str, str] = field(default_factory=dict)
    views: Sequence[View] = ()


def of_task(
    store: Store,
    name: str,
    comparison: Comparison,
    runs: Mapping[str, Run],
    study_run: Run | None,
    champion: str | None = None,
) -> Page:
    """The page of a task's experiment.

    Args:
        store: where it is.
        name: of the task.
        comparison: what was found.
        runs: the runs that are mirrored, by key.
        study_run: the whole study's run, if there is one.
        champion: id of the run whose model is in use.
    """
    task = comparison.tasks[name]
    held = list(runs.values())
    found = next((run for run in held if run.data.tags["gatewise.kind"] == "comparison"), None)
    shown = task_views.Shown(
        metric=task.metric.definition,
        shortfalls=any(answers.shortfall(task, variant) is not None for variant in task.variants),
        timed=any(names.TRAIN_STEP in run.data.metrics for run in held),
        champion=champion,
        tuned=_tuned(task),
    )
    made = task_views.of_task(shown)
    number = store.experiment(name)
    lines = [f"**{answers.sentence(task)}**", "", *(f"- {s}" for s in words.answer(task)), ""]
    lines += [_made(found), "", f"Views: {links.markdown(number, made)}"]
    if study_run is not None:
        whole = study_run.info
        report = links.artifact(whole.experiment_id, whole.run_id, study.REPORT)
        page = links.experiment(whole.experiment_id)
        lines += ["", f"[The whole study]({page}) · [its report]({report})"]
    tags = {
        "gatewise.kind": "task",
        "gatewise.task": name,
        "gatewise.metric": task.metric.name,
        "gatewise.answer": answers.choice(task) or "undecided",
        "gatewise.study": study_id(comparison),
    }
    return Page(name, "\n".join(lines), tags, made)


def of_study(store: Store, comparison: Comparison, run: Run) -> Page:
    """The page of the whole study's experiment."""
    made = task_views.of_study(
        list(comparison.tasks), [name for name, _step in study.metrics(comparison)]
    )
    number = run.info.experiment_id
    report = links.artifact(number, run.info.run_id, study.REPORT)
    tasks = " · ".join(
        f"[{name}]({links.experiment(store.experiment(name), first())})"
        for name in comparison.tasks
    )
    # The page shows the first line and unfolds the rest.
    brief = "; ".join(
        f"{name}: {answers.choice(task) or 'undecided'}" for name, task in comparison.tasks.items()
    )
    lines = [f"**What to take: {brief}**", "", study.heading(comparison), "", _made(run), ""]
    lines += [f"Tasks: {tasks}", "", f"[The report]({report}) · {links.markdown(number, made)}"]
    tags = {
        "gatewise.kind": "study",
        "gatewise.answer": brief,
        "gatewise.study": study_id(comparison),
    }
    return Page(study.NAME, "\n".join(lines), tags, made)


def study_id(comparison: Comparison) -> str:
    """What the experiments of one study share."""
    return digest(dict(comparison.study))[:12]


def lacking(
    store: Store, page: Page, *, with_views: bool = True
) -> tuple[dict[str, str], list[str]]:
    """Tags that an experiment lacks or holds otherwise, and those of its views that are stale."""
    with explained(store.uri):
        experiment = store.client.get_experiment(store.experiment(page.name))
    wanted = {**page.tags, notes.TAG: page.description[:LENGTH]}
    if with_views:
        # The menu lists the latest first, so the first of ours is the youngest.
        born = experiment.creation_time or len(page.views)
        values = {view.tag: view.value(born - i) for i, view in enumerate(page.views)}
        wanted |= {name: value for name, value in values.items() if len(value) <= LENGTH}
    ours = views.TAG + views.KEYS
    stale = [name for name in experiment.tags if name.startswith(ours) and name not in wanted]
    return differing(experiment.tags, wanted), stale


def update(store: Store, page: Page, *, with_views: bool = True) -> bool:
    """Bring an experiment's page up to date; returns whether anything had to be written."""
    missing, stale = lacking(store, page, with_views=with_views)
    number = store.experiment(page.name)
    with explained(store.uri):
        for name, value in missing.items():
            store.client.set_experiment_tag(number, name, value)
        for name in stale:
            store.client.delete_experiment_tag(number, name)
    return bool(missing or stale)


def _made(run: Run | None) -> str:
    """When and from what the comparison was made."""
    if run is None:
        return ""
    day = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(run.info.start_time / 1000))
    commit = run.data.tags.get(origin.COMMIT)
    dirty = " with uncommitted changes" * (run.data.tags.get(origin.DIRTY) == "true")
    return f"Compared on {day}" + (f" at commit `{commit[:12]}`{dirty}." if commit else ".")


def first() -> View:
    """The view that a link opens."""
    return View("gatewise-1-answer", "1 Answer", "")


def _tuned(task: TaskComparison) -> tuple[str, ...]:
    """Parameters that trials were tried with."""
    return () if task.tuning is None else tuple(map(trials.parameter, task.tuning.space))
