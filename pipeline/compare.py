"""Stage `compare`: runs and reports of the stages before -> reports/comparison.json."""

from __future__ import annotations

from gatewise.artifacts.plan import ComparePlan
from gatewise.evidence import comparison
from gatewise.files import replacing, write_json
from pipeline import run


def main(_arguments: list[str]) -> None:
    """Compare all variants of all tasks; `report` prints the verdicts."""
    from gatewise.report import compared_numbers, plots

    study = ComparePlan.read("data/plan/compare.json").study()
    evidence = comparison.gather(study)
    result = comparison.compare(study, evidence, probes=comparison.read_probes(study.variants))
    with replacing("reports/plots") as folder:
        plots.write(folder, evidence, result)
    # One file for `dvc metrics`: those in runs/ lie within outputs and cannot be listed apart.
    write_json("reports/metrics.json", compared_numbers.document(result))
    result.write("reports/comparison.json")
    runs = sum(len(task.records) for task in evidence.values())
    print(f"compared {runs} runs: reports/comparison.json")


if __name__ == "__main__":
    run(main)
