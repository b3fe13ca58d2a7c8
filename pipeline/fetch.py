"""Stage `fetch`: data/plan/<task>/source.json -> data/raw/<task>/."""

from __future__ import annotations

from pathlib import Path

from gatewise.artifacts import software
from gatewise.artifacts.plan import SourcePlan
from gatewise.execution.kept_results import KeptResult
from pipeline import run


def main(arguments: list[str]) -> None:
    """Fetch the data of one task."""
    from gatewise.data import sources

    (task,) = arguments
    plan = SourcePlan.read(Path("data/plan", task, "source.json"))
    target = Path("data/raw", task)

    def fetch() -> None:
        raw = sources.fetch(plan.source, target)
        groups = raw.manifest["group"].nunique()
        print(f"{task}: {raw.card.title}; {len(raw.manifest)} examples, {groups} groups")

    module = type(plan.source).__module__
    if plan.source.pinned and module.startswith("gatewise."):
        decisive = [plan.source.model_dump(mode="json"), software.result_digest(module)]
        KeptResult("fetch", task, decisive, [target]).make(fetch)
    else:  # a folder of the user's may have changed, and of others' sources we know no files
        fetch()


if __name__ == "__main__":
    run(main)
