"""How long `compare` and `report` take on a large study, and in how much memory.

    python benchmarks/report_speed.py [tasks variants seeds examples]

Run folders are made up, 10 tasks x 10 variants x 20 seeds with 5,000 test predictions each
unless told otherwise; then both stages run as `dvc repro` runs them. Fails above 60 s or 1 GiB.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

PROJECT = Path(__file__).parent.parent
sys.path[:0] = [str(PROJECT), str(PROJECT / "src")]

SECONDS, BYTES = 60, 2**30


def build(root: Path, tasks: int, variants: int, seeds: int, examples: int) -> None:
    """Write the plan and all run folders."""
    from gatewise import config
    from gatewise.artifacts import plan
    from tests.evidence_runs import record, write_card, write_run

    names = [f"v{v}" for v in range(variants)]
    task_names = [f"t{t}" for t in range(tasks)]
    task = {"source": {"kind": "digits"}, "features": {"kind": "frames"}}
    study = {
        "tasks": dict.fromkeys(task_names, task),
        "variants": {name: {"cell": "gru", "hidden": 4} for name in names},
        "seeds": seeds,
        "compare": {"primary": [["v1", "v0"], ["v2", "v0"]]},
    }
    plan.write(config.parse(study), root / "data" / "plan")
    rng = np.random.default_rng(0)
    for t in task_names:
        write_card(root, t)
        for v, name in enumerate(names):
            for seed in range(seeds):
                score = float(np.clip(0.8 + 0.005 * v + 0.01 * rng.standard_normal(), 0, 1))
                run = record(t, name, seed, score, epochs_run=10)
                write_run(root, run, examples, split_seed=0, groups=100)


def main() -> None:
    """Build, measure, report as JSON."""
    tasks, variants, seeds, examples = (
        [int(word) for word in sys.argv[1:]] if len(sys.argv) == 5 else [10, 10, 20, 5000]
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        build(root, tasks, variants, seeds, examples)
        environment = {**os.environ, "PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}"}
        measured: dict[str, float] = {}
        for stage in ("compare", "report"):
            begun = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", f"pipeline.{stage}"],
                cwd=root,
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
            )
            measured[f"{stage}_seconds"] = round(time.perf_counter() - begun, 1)
        measured["page_bytes"] = (root / "reports" / "index.html").stat().st_size
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    measured["peak_mib"] = round(peak / 2**20)
    print(json.dumps(measured))
    assert measured["compare_seconds"] + measured["report_seconds"] < SECONDS
    assert peak < BYTES
    assert measured["page_bytes"] < 5_000_000


if __name__ == "__main__":
    main()
