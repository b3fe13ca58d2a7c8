"""Tuning in MLflow: a run of kind `tuning` a variant, and below it one of kind `trial` a point.

Each trial carries what was tried as parameters and its validation score as a metric, under the
names that the study's own runs have, so that MLflow's parallel coordinates, scatter and contour
plots take them as they are. Everything comes from `data/tuned/`, which `dvc pull` brings.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path

from gatewise.artifacts.tuned import Choice, Trial, Tuned
from gatewise.config.metrics import METRICS
from gatewise.config.tuning import TRAIN_SETTINGS, show_tried
from gatewise.files import digest
from gatewise.report import tuning_words
from gatewise.tracking import names
from gatewise.tracking.content import Content, MetricKey, flatten

TUNING, TRIAL = "tuning", "trial"
"""Kinds of runs."""


def everything(
    tasks: Iterable[str], root: str | Path = "data/tuned"
) -> Iterator[tuple[Content, str | None]]:
    """Each run that the store should hold of tuning with its parent's key, parents first.

    Args:
        tasks: whose tuning is wanted; without files of it nothing is.
        root: where the `tune` stage left its choices.
    """
    for task in dict.fromkeys(tasks):
        for path in sorted(Path(root, task).glob("*.json")):
            tuned = Tuned.read(path)
            if tuned.choice is not None:
                yield from of_variant(tuned, tuned.choice)


def of_variant(tuned: Tuned, choice: Choice) -> Iterator[tuple[Content, str | None]]:
    """A variant's tuning and its trials, the latter with their parent's key.

    Args:
        tuned: what the stage left.
        choice: its choice; with `per: seed`, the first seed's.
    """
    parent = _parent(tuned, choice)
    yield parent, None
    by_seed = {f"seed-{seed}/": one for seed, one in tuned.by_seed.items()} or {"": choice}
    for place, one in by_seed.items():
        for trial in one.trials:
            yield _trial(tuned, one, trial, place, parent.key), parent.key


def _parent(tuned: Tuned, choice: Choice) -> Content:
    """What was tried and chosen; another search, or one on other data, is another run."""
    metric = METRICS[tuned.metric]
    lines = [f"Chosen: **{tuning_words.settings(choice.settings)}** (trial {choice.chosen})."]
    lines += [f"Chance of another choice: {tuning_words.another(choice.chance_of_another)}."]
    lines += [f"At the edge of its range: {name}." for name in choice.at_edge]
    if choice.best.mean is not None:
        lines.append(f"Validation {metric.title} {metric.show(choice.best.mean)}.")
    space = {f"space.{name}": show_tried(values) for name, values in tuned.space.items()}
    # Constants of the search are parameters: as metrics they would be charts of one bar each.
    search = {"method": tuned.method, "per": tuned.per, "seeds": tuned.seeds}
    search |= {"trials": len(choice.trials), "chance_of_another": choice.chance_of_another}
    return Content(
        key=digest(["tuning", tuned.model_dump(mode="json")]),
        name=f"{tuned.task}/{tuned.variant}/tuning",
        task=tuned.task,
        kind=TUNING,
        params=space | flatten(search),
        metrics=_score(choice.best, tuned),
        tags=_tags(tuned),
        notes="\n\n".join(lines),
    )


def _trial(tuned: Tuned, choice: Choice, trial: Trial, place: str, parent: str) -> Content:
    values = {name: str(value) for name, value in trial.settings.items()}
    tags = {"gatewise.trial": str(trial.number), "gatewise.outcome": trial.status}
    tags["gatewise.chosen"] = str(trial.number == choice.chosen).lower()
    if place:
        tags["gatewise.seed"] = place.removeprefix("seed-").rstrip("/")
    return Content(
        key=digest(["trial", parent, place, trial.number]),
        name=f"{tuned.task}/{tuned.variant}/{place}trial-{trial.number}",
        task=tuned.task,
        kind=TRIAL,
        params={parameter(name): value for name, value in values.items()},
        metrics=_score(trial, tuned) | {(names.TRAINING_MACS, 0): trial.training_macs},
        tags=_tags(tuned) | tags,
        notes=trial.note,
    )


def parameter(setting: str) -> str:
    """What MLflow calls a setting, as in the study's own runs: `train.learning_rate`."""
    return f"{'train' if setting in TRAIN_SETTINGS else 'config'}.{setting}"


def _score(trial: Trial, tuned: Tuned) -> dict[MetricKey, float]:
    if trial.mean is None:
        return {}
    name = names.final("validation", tuned.metric)
    found: dict[MetricKey, float] = {(name, 0): trial.mean}
    if len(trial.scores) > 1:
        found[names.std(name), 0] = statistics.stdev(trial.scores)
    return found


def _tags(tuned: Tuned) -> dict[str, str]:
    return {
        "gatewise.task": tuned.task,
        "gatewise.variant": tuned.variant,
        "dvc.stage": f"tune@{tuned.task}-{tuned.variant}",
    }
