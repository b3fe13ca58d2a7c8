"""Runs executed cold: `python -m gatewise.delivery.verification.rerun REQUEST`, in an empty folder.

The process is fresh (nothing of the verifying one is in it); each run is a fork of it, as every
run of the study is a fork of a process that only imported. Runs that several processes trained
together are trained by as many, under `torchrun`: each draws dropout masks of its own, and the
order of additions follows from how many there are. What is asked and what is left are files.
"""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

from gatewise.errors import GatewiseError
from gatewise.execution import torchrun
from gatewise.files import read_json, write_json
from gatewise.training import instructions
from gatewise.training.instructions import Instructions
from gatewise.training.job import Job

REQUEST = "request.json"
ERROR = "error: "
"""Begins the line that a process says why it failed in."""
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT", "VIRTUAL_ENV")
"""All of the environment that a cold run gets to see."""


def execute(
    jobs: list[dict[str, Any]],
    folder: Path,
    threads: int,
    mode: Instructions = "portable",
    processes: int = 1,
) -> None:
    """Execute `jobs` in a process of their own whose working directory is `folder`.

    Args:
        jobs: `plan` (a `RunPlan` as plain data), `seed`, `prepared` (absolute path), `target`
            (folder to make, relative to `folder`).
        folder: an empty folder.
        threads: as the study's runs have.
        mode: the instructions that all of them compute with.
        processes: how many trained each run together. They all run on this machine, where they
            may have to share cores: that takes time and changes no bit.

    Raises:
        GatewiseError: a run failed.
    """
    jobs = [{**job, "plan": {**job["plan"], "instructions": mode}} for job in jobs]
    write_json(folder / REQUEST, jobs)
    environment = cold_environment(mode)
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    environment["OPENBLAS_NUM_THREADS"] = "1"
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    module = ["-m", "gatewise.delivery.verification.rerun", REQUEST]
    done = subprocess.run(
        [sys.executable, *(launcher if processes > 1 else ()), *module],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise GatewiseError(f"a run could not be executed again: {_last_words(done.stderr)}")


def _last_words(said: str) -> str:
    """What a process said of its end; torchrun says much more after it, which is left out."""
    lines = [line for line in said.splitlines() if line.strip()]
    ours = [line.removeprefix(ERROR) for line in lines if line.startswith(ERROR)]
    return (ours or lines or ["no word"])[-1]


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
            print(f"{ERROR}{job['prepared']}: no prepared task", file=sys.stderr)
            return 1
    if torchrun.launched():
        return _train_together(jobs)
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
        from gatewise.training import one_run

        Path(job["target"]).mkdir(parents=True)
        one_run.train(_job(job), lambda _epoch, _values: None)
        status = 0
    except GatewiseError as error:
        print(f"{ERROR}{error}", file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _train_together(jobs: list[dict[str, Any]]) -> int:
    """In each of the processes that torchrun started: train, one run after the other."""
    import torch.distributed

    from gatewise.config import ExecutionConfig
    from gatewise.training import one_run

    failed: GatewiseError | None = None
    with torchrun.ProcessGroup(ExecutionConfig(devices=int(os.environ["WORLD_SIZE"]))) as together:
        for job in jobs:
            Path(job["target"]).mkdir(parents=True, exist_ok=True)
            try:
                one_run.train(_job(job), lambda _epoch, _values: None, group=together.group)
            except GatewiseError as error:  # all processes come to the same end
                failed = error
                break
            torch.distributed.barrier()
        if not together.leads:  # hears from the leading one that there is nothing more
            torchrun.broadcast(None)
    if failed is not None:
        print(f"{ERROR}{failed}", file=sys.stderr)
    return int(failed is not None)


def _job(job: dict[str, Any]) -> Job:
    from gatewise.artifacts.plan import RunPlan

    plan = RunPlan.model_validate(job["plan"])
    prepared, target = Path(job["prepared"]), Path(job["target"])
    return Job(plan, job["seed"], "executed again", prepared, target)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
