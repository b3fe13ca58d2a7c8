"""What each task of a study can tell, from `params.yaml` and what lies in the project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gatewise.artifacts.comparison import FILE, Comparison
from gatewise.artifacts.costs import CostReport
from gatewise.artifacts.data_report import DataReport
from gatewise.artifacts.promise import Promise
from gatewise.config import Study
from gatewise.config.metrics import METRICS
from gatewise.errors import GatewiseError
from gatewise.evidence import promise


def foresee(study: Study, task: str, root: str | Path = ".") -> Promise:
    """What the study can tell on a task.

    Test examples are known once the task is prepared, the scatter of differences once it was
    compared before.

    Args:
        study: what was declared.
        task: its name.
        root: the project.
    """
    examples, shared = _test_examples(study, task, Path(root) / "reports" / "data" / f"{task}.json")
    spread = _spread(task, Path(root) / "reports" / FILE)
    return made(study, task, examples, shared=shared, spread=spread)


def made(
    study: Study, task: str, examples: int | None, *, shared: bool, spread: float | None = None
) -> Promise:
    """The promise, given what is known of test examples and scatter.

    Args:
        study: what was declared.
        task: its name.
        examples: test examples of a run, if known.
        shared: whether all seeds test on the same ones.
        spread: standard deviation of paired differences, if it was seen in runs before.
    """
    metric = METRICS[study.tasks[task].metric]
    # Chance is known of metrics that are a share of the test examples.
    share = metric.higher_is_better and not metric.by_class
    return promise.make(
        study.compare,
        primary_tests(study),
        most_seeds(study),
        examples if share else None,
        shared=shared,
        spread=spread,
    )


def primary_tests(study: Study) -> int:
    """Primary pairs of all tasks, which share the level."""
    return len(study.compare.primary) * len(study.tasks)


def most_seeds(study: Study) -> int:
    """Seeds of each variant; where they are added in rounds, as many as there may be."""
    return study.looks[-1] if study.looks else len(study.seed_list)


def training_seconds(study: Study, task: str, root: str | Path = ".") -> float | None:
    """Seconds of one core that all runs of a task take at most, by costs measured here before."""
    cost = CostReport.read_if_made(Path(root) / "reports" / "cost" / f"{task}.json")
    if cost is None or not set(study.variants) <= set(cost.variants):
        return None
    epochs = study.train_for(task).epochs
    seconds = sum(cost.variants[name].train_seconds_per_epoch for name in study.variants)
    return epochs * seconds * most_seeds(study)


def _test_examples(study: Study, task: str, path: Path) -> tuple[int | None, bool]:
    """Test examples of a run, and whether all seeds share them; from the data's certificate."""
    try:
        report = DataReport.read(path)
    except (OSError, ValueError):  # not made yet, or by another version
        return None, not study.tasks[task].split.resample
    if report.splits is not None:
        return report.splits["test"].examples, True
    return round(report.examples * study.tasks[task].split.test), False


def _spread(task: str, path: Path) -> float | None:
    """Median standard deviation of the differences in the last comparison, if there was one."""
    try:
        compared = Comparison.read_if_made(path)
    except GatewiseError:
        return None  # made by another version
    known = compared.tasks.get(task) if compared is not None else None
    return None if known is None or known.outcome is None else known.outcome.spread


def tasks(study: Study, root: str | Path = ".") -> Iterator[tuple[str, Promise]]:
    """The promise of every task."""
    for task in study.tasks:
        yield task, foresee(study, task, root)
