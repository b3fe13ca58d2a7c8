"""Runs executed cold: `python -m gatewise.delivery.verification.rerun REQUEST`, in an empty folder.

The process is fresh (nothing of the verifying one is in it); each run is a fork of it, as every
run of the study is a fork of a process that only imported. What is asked and what is left are
files.
"""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

from gatewise.errors import GatewiseError
from gatewise.files import read_json, write_json
from gatewise.training import instructions
from gatewise.training.instructions import Instructions

REQUEST = "request.json"
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT", "VIRTUAL_ENV")
"""All of the environment that a cold run gets to see."""


def execute(
    jobs: list[dict[str, Any]],
    folder: Path,
    threads: int,
    mode: Instructions = "portable",
) -> None:
    """Execute `jobs` in a process of their own whose working directory is `folder`.

    Args:
        jobs: `plan` (a `RunPlan` as plain data), `seed`, `prepared` (absolute path), `target`
            (folder to make, relative to `folder`).
        folder: an empty folder.
        threads: as the study's runs have.
        mode: the instructions that all of them compute with.

    Raises:
        GatewiseError: a run failed.
    """
    jobs = [{**job, "plan": {**job["plan"], "instructions": mode}} for job in jobs]
    write_json(folder / REQUEST, jobs)
    environment = cold_environment(mode)
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    environment["OPENBLAS_NUM_THREADS"] = "1"
    done = subprocess.run(
        [sys.executable, "-m", "gatewise.delivery.verification.rerun", REQUEST],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise GatewiseError(f"a run could not be executed again: {said[-1] if said else 'no word'}")


def cold_environment(mode: Instructions) -> dict[str, str]:
    """The environment of a cold run: nothing of ours but `KEPT` and what `mode` needs."""
    # A native run computes with what the libraries choose, and they may have been asked to choose.
    ours = instructions.environment("native")
    names = (*KEPT, *(instructions.CHOICES if mode == "native" else ()))
    kept = {name: ours[name] for name in names if name in ours}
    kept["PYTHONPATH"] = str(Path(__file__).parents[3])
    return instructions.environment(mode, kept)


def main(request: str) -> int:
    """Fork and wait for one run after the other."""
    jobs = read_json(request)
    for job in jobs:
        if not Path(job["prepared"]).is_dir():
            print(f"{job['prepared']}: no prepared task", file=sys.stderr)
            return 1
    from gatewise.training import one_run  # noqa: F401 - imported once, before any fork

    for job in jobs:
        pid = os.fork()
        if pid == 0:
            _train(job)
        _, status = os.waitpid(pid, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            return 1
    return 0


def _train(job: dict[str, Any]) -> None:
    """In the forked process: train and leave."""
    status = 1
    try:
        from gatewise.artifacts.plan import RunPlan
        from gatewise.training import one_run
        from gatewise.training.job import Job

        target = Path(job["target"])
        target.mkdir(parents=True)
        plan = RunPlan.model_validate(job["plan"])
        one_run.train(
            Job(plan, job["seed"], "executed again", Path(job["prepared"]), target),
            lambda _epoch, _values: None,
        )
        status = 0
    except GatewiseError as error:
        print(error, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
