"""What a run lacks of what it should hold, judged by what a search for runs returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gatewise.tracking import content
from gatewise.tracking.content import Content
from gatewise.tracking.entries import DIGEST_LENGTH, datasets

if TYPE_CHECKING:
    from mlflow.entities import Run


def of_run(wanted: Content, run: Run, parent: str | None = None) -> list[str]:
    """What a run lacks, in words, without reading histories or artifacts.

    A search shows the latest value of each metric; the seal vouches for the earlier ones.

    Args:
        wanted: everything the run should hold.
        run: as it was found.
        parent: id of the parent run.
    """
    gaps = []
    if run.info.status != "FINISHED":
        gaps.append(f"its status is {run.info.status}")
    if run.info.run_name != wanted.name:
        gaps.append(f"its name is {run.info.run_name!r}")
    if run.data.tags.get(content.CONTENT) != wanted.seal:
        gaps.append("it was not written as a whole")
    gaps += [f"tag {name}" for name in differing(run.data.tags, tags(wanted, parent))]
    gaps += [f"parameter {name}" for name in differing(run.data.params, wanted.params)]
    held = run.data.metrics
    gaps += [
        f"metric {name}"
        for name, value in _latest(wanted).items()
        if name not in held or not content.same(held[name], value)
    ]
    if wanted.data_digest is not None and wanted.data_digest[:DIGEST_LENGTH] not in {
        held.digest for held in datasets(run)
    }:
        gaps.append("data set")
    return gaps


def tags_alone(wanted: Content, run: Run, parent: str | None = None) -> dict[str, str] | None:
    """The tags that a run lacks; `None` if it lacks anything else.

    So it is with runs that were logged while they trained: what DVC locked came later.
    """
    lacking = differing(run.data.tags, tags(wanted, parent))
    return lacking if len(of_run(wanted, run, parent)) == len(lacking) else None


def tags(wanted: Content, parent: str | None) -> dict[str, str]:
    """The tags that a run should have, its parent's id among them."""
    return {**wanted.tags, **({content.PARENT: parent} if parent else {})}


def differing(held: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """What of `wanted` is not held, or held otherwise."""
    return {name: value for name, value in wanted.items() if held.get(name) != value}


def _latest(wanted: Content) -> dict[str, float]:
    """The last value of each metric."""
    latest: dict[str, tuple[int, float]] = {}
    for (name, step), value in wanted.metrics.items():
        if name not in latest or step > latest[name][0]:
            latest[name] = (step, value)
    return {name: value for name, (_step, value) in latest.items()}
