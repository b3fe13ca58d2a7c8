"""Runs are forked from a process that has all that they import."""

import subprocess
import sys

import pytest

from tests.tasks import make_plan, write_task

SCRIPT = """
import importlib, sys
from pathlib import Path
import pipeline
for name in pipeline.WARM_MODULES:
    importlib.import_module(name)
from gatewise.artifacts.plan import RunPlan
from gatewise.training import work
from gatewise.training.job import Job
root = Path(sys.argv[1])
plan = RunPlan.read(root / "plan.json")
job = Job(plan, 0, "k" * 64, root / "toy", root / "run", root / "checkpoints/one.ckpt")
loaded = set(sys.modules)
work.carry_out(job, lambda *_: None)
print(*sorted(set(sys.modules) - loaded))
"""


@pytest.mark.slow  # imports everything in a process of its own
def test_a_run_imports_nothing_by_itself(tmp_path):
    write_task(tmp_path / "toy")
    make_plan().write(tmp_path / "plan.json")
    for folder in ("run", "checkpoints"):
        (tmp_path / folder).mkdir()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == []
