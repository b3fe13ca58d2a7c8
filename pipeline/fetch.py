"""Stage `fetch`: a source -> data/raw/<task>/."""

from __future__ import annotations

from pathlib import Path

from gatewise import config
from gatewise.errors import GatewiseError
from pipeline import run


def main(arguments: list[str]) -> None:
    """Fetch the data of one task."""
    from gatewise.data import sources

    study = config.load()
    (task,) = arguments
    if task not in study.tasks:
        raise GatewiseError(f"no task {task!r}{config.suggest(task, study.tasks)}")
    raw = sources.fetch(study.tasks[task].source, Path("data/raw") / task)
    groups = raw.manifest["group"].nunique()
    print(f"{task}: {raw.card.title}; {len(raw.manifest)} examples, {groups} groups")


if __name__ == "__main__":
    run(main, light=True)
