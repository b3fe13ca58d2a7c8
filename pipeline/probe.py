"""Stage `probe`: one variant -> reports/probes/<variant>.json."""

from __future__ import annotations

from pathlib import Path

from gatewise import config
from gatewise.files import cores, write_json
from pipeline import run


def main(arguments: list[str]) -> None:
    """Probe the memory of one variant, a few seeds side by side."""
    from gatewise.artifacts.plan import ProbePlan
    from gatewise.diagnostics import probes

    (variant,) = arguments
    execution = config.load().execution
    plan = ProbePlan.read(Path("data/plan/probes", f"{variant}.json"))
    workers = cores() if execution.workers == "auto" else execution.workers
    found = probes.summarise(probes.probe_all(plan, workers), plan.probes)
    write_json(f"reports/probes/{variant}.json", found)
    solved = (
        f"{title} {found['probes'][problem]['longest_solved'] or 'none'}"
        for problem, title in probes.TITLES.items()
    )
    print(f"{variant}: longest length solved: {', '.join(solved)}")


if __name__ == "__main__":
    run(main)
