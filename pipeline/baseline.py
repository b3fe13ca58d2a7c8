"""Stage `baseline`: prepared data -> reports/baselines/<task>.json."""

from __future__ import annotations

from pathlib import Path

from gatewise import config
from gatewise.artifacts.prepared import Prepared
from gatewise.files import write_json
from pipeline import run


def main(arguments: list[str]) -> None:
    """Score the majority class and a linear model on one task."""
    from gatewise.diagnostics import baselines

    (task,) = arguments
    study = config.load()
    prepared = Prepared.open(Path("data/prepared", task))
    settings = study.compare
    fraction = study.train_for(task).fraction
    found = baselines.evaluate(
        prepared, study.seed_list, fraction, settings.alpha, settings.resamples
    )
    write_json(f"reports/baselines/{task}.json", found)
    for entry in found["baselines"].values():
        print(f"{task}: {entry['title']} {100 * entry['mean']:.1f} %")


if __name__ == "__main__":
    run(main)
