"""The description of a seed: what it is, where it stands among its siblings, where to go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gatewise.artifacts.runs import RunRecord
from gatewise.config.metrics import METRICS
from gatewise.tracking import mistakes, notes

Partners = Mapping[tuple[str, int], Mapping[str, str]]
"""Keys of runs by variant, for each task and seed."""


def opening(
    record: RunRecord, siblings: Sequence[RunRecord], parent: str, partners: Partners
) -> str:
    """One line on the run and one of links, as a template of `notes`.

    Args:
        record: the run.
        siblings: all seeds of its variant, itself among them.
        parent: key of the variant's run.
        partners: runs that share its split, batches and augmentation.
    """
    metric = METRICS[record.metric]
    scores = {one.seed: one.metrics["test"][record.metric] for one in siblings}
    own = scores[record.seed]
    better = sum(metric.gain(score) > metric.gain(own) for score in scores.values())
    mean = sum(scores.values()) / len(scores)
    line = (
        f"**Seed {record.seed} of {record.variant} on {record.task}**: "
        f"test {metric.title} {metric.show(own)}, number {better + 1} of {len(scores)} seeds "
        f"(mean {metric.show(mean)})."
    )
    same = [
        notes.link(variant, key)
        for variant, key in partners.get((record.task, record.seed), {}).items()
        if variant != record.variant
    ]
    ways = [notes.link(f"all seeds of {record.variant}", parent)]
    if same:
        ways.append(f"same seed, split and batches: {', '.join(same)}")
    # One paragraph: the page folds what is below the third line.
    return f"{line} {' · '.join(ways)}"


def tables(made: Sequence[str]) -> str:
    """Links to a run's tables."""
    titles = {
        mistakes.WORST: "worst mistakes",
        mistakes.CLASSES: "scores by class",
        mistakes.PREDICTIONS: "all predictions, by the data set's ids",
    }
    shown = [notes.file_link(title, path) for path, title in titles.items() if path in made]
    return " · ".join(shown)
