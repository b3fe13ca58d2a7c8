"""Stage `compare`: runs/, reports/cost/ -> reports/comparison.json, reports/plots/."""

from __future__ import annotations

from gatewise import comparison, config, runs
from gatewise.files import replacing, write_json
from pipeline import run


def main(_arguments: list[str]) -> None:
    """Compare all variants of all tasks; `report` prints the verdicts."""
    from gatewise.report import plots

    study = config.load()
    found = [(folder, r) for folder, r in runs.find() if r.task in study.tasks]
    cards = comparison.read_by_task(study.tasks, "data/prepared/{task}/task.json")
    costs = comparison.read_by_task(study.tasks, "reports/cost/{task}.json")
    result = comparison.compare(study, [record for _, record in found], costs, cards)
    with replacing("reports/plots") as folder:
        plots.write(folder, found, result, cards)
    # One file for `dvc metrics`: those in runs/ lie within outputs and cannot be listed apart.
    write_json("reports/metrics.json", plots.headline(result))
    write_json("reports/comparison.json", result)
    print(f"compared {len(found)} runs: reports/comparison.json")


if __name__ == "__main__":
    run(main)
