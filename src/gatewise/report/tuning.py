"""The page's pictures of tuning: score against each setting, and against the budget."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gatewise.artifacts.comparison import TaskComparison
from gatewise.artifacts.tuned import Trial
from gatewise.artifacts.tuning_summary import TaskTuning, VariantTuning
from gatewise.config.metrics import Metric
from gatewise.report import tuning_charts
from gatewise.report.figure import Figure
from gatewise.report.tuning_words import settings

BUDGET = (
    "Best validation score to expect of so many trials, the declared settings first; "
    "shaded, the tenth to the ninetieth percentile over which points they are."
)
BUDGET_AS_FOUND = (
    "Best validation score so far, the declared settings first: points that follow from earlier "
    "ones could not have come otherwise."
)


def figures(name: str, task: TaskComparison) -> Iterator[Figure]:
    """A task's pictures of its tuning; none where nothing was tuned."""
    if task.tuning is None:
        return
    metric = task.metric.definition
    # With a second setting, neighbours on one axis may be far apart on the other.
    alone = len(task.tuning.space) == 1
    for setting, values in task.tuning.space.items():
        rows = trials(task.tuning, setting, metric)
        if not rows:
            continue
        axis = f"validation {metric.axis}"
        spec = tuning_charts.against_setting(
            rows,
            values,
            list(task.tuning.variants),
            setting,
            axis,
            joined=alone,
            higher_is_better=metric.higher_is_better,
        )
        caption = f"Validation score against {setting}: every trial that was trained in full"
        chosen = "; ".join(f"{v}: {settings(c)}" for v, c in task.tuning.chosen.items())
        yield Figure(f"{name}--tuning-{setting}", "tuning", caption, f"chosen {chosen}", spec)
    yield from _budget(name, task.tuning, metric)


def trials(tuning: TaskTuning, setting: str, metric: Metric) -> list[dict[str, Any]]:
    """A row for each trial that was trained in full and has this setting; no score if it diverged.

    Those that were pruned are left out: scores of shorter trainings do not compare.
    """
    return [
        {
            "variant": variant,
            "value": trial.settings[setting],
            "trial": trial.number,
            "is": _kind(trial, one),
            **({} if trial.mean is None else {"score": _short(metric.scaled(trial.mean))}),
        }
        for variant, one in tuning.variants.items()
        for trial in one.trials
        if trial.status in ("complete", "diverged") and setting in trial.settings
    ]


def _kind(trial: Trial, tuned: VariantTuning) -> str:
    if trial.status == "diverged":
        return "diverged"
    if trial.settings == tuned.chosen or trial.settings in tuned.chosen_by_seed.values():
        return "chosen"
    return "declared" if trial.number == 0 else "tried"


def _short(value: float) -> float:
    """As exact as a picture can show, so that the page stays light."""
    return float(f"{value:.5g}")


def _budget(name: str, tuning: TaskTuning, metric: Metric) -> Iterator[Figure]:
    rows = [
        {
            "variant": variant,
            "trials": point.trials,
            "score": _short(metric.scaled(point.expected)),
            "low": _short(metric.scaled(point.low)),
            "high": _short(metric.scaled(point.high)),
        }
        for variant, one in tuning.variants.items()
        for point in one.budget
    ]
    if rows:
        axes = "trials", f"best validation {metric.axis}"
        spec = tuning_charts.with_band(rows, list(tuning.variants), *axes)
        caption = BUDGET_AS_FOUND if tuning.method == "tpe" else BUDGET
        alternative = "; ".join(
            f"{variant} from {metric.show(one.budget[0].expected)} "
            f"to {metric.show(one.budget[-1].expected)}"
            for variant, one in tuning.variants.items()
            if one.budget
        )
        yield Figure(f"{name}--tuning-budget", "tuning", caption, alternative, spec)
