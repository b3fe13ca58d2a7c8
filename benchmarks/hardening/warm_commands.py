"""Commands in children of one warm process: what costs half a minute alone takes a moment."""

from __future__ import annotations

import os
import resource
import runpy
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.hardening import project
from benchmarks.hardening.project import Said
from gatewise.execution import warm

PATIENCE = 150.0
"""Seconds for one command, on a machine that others use as well."""


def start() -> str:
    """Address of a process that has imported what all commands take; comes when it has."""
    from pipeline import WARM_MODULES

    modules = [
        *WARM_MODULES,
        *("gatewise.training.work", "gatewise.serving.predictor", "gatewise.report.page"),
        *("gatewise.delivery.gate.assessment", "gatewise.diagnostics.profiling"),
        *("dvc.cli", "dvc.commands.status", "dvc.repo", "gatewise.cli.main"),
    ]
    address = warm.ensure(os.getpid(), modules)
    warm.fork(address, os.getpid, []).wait()  # once it has imported them
    return address


def run(address: str, folder: Path, command: Sequence[str], seconds: float = PATIENCE) -> Said:
    """Run a command in `folder` and see how it ends.

    Args:
        address: of the warm process.
        folder: a project.
        command: a module and its arguments; `dvc ...`; `guard`, what `gatewise repro` does before
            it starts DVC.
        seconds: after which it counts as hanging.
    """
    with tempfile.TemporaryDirectory(prefix="gatewise-said-") as holder:
        said = Path(holder, "said")
        child = warm.fork(address, _become, [str(folder), str(said), list(command)])
        try:
            status: int | None = child.wait(seconds)
        except TimeoutError:
            child.kill()
            child.wait()
            status = None
        return Said(status, said.read_text(errors="replace") if said.exists() else "")


def _become(folder: str, said: str, words: list[str]) -> None:
    """In the child: be that command, with its output in the file `said`."""
    output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    sys.stdout = open(1, "w", closefd=False, buffering=1)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, buffering=1)  # noqa: SIM115
    resource.setrlimit(resource.RLIMIT_AS, (project.MOST_MEMORY, project.MOST_MEMORY))
    address = os.environ[warm.ADDRESS]
    wanted = project.environment(Path(folder), {warm.ADDRESS: address})
    os.environ.clear()
    os.environ.update(wanted)
    os.chdir(folder)
    sys.exit(_main(words))


def _main(words: list[str]) -> int | str:
    from gatewise.errors import GatewiseError, in_words

    name, *arguments = words
    if name == "guard":
        from gatewise.repro import leftovers

        try:
            with in_words():
                leftovers.require_regular()
                leftovers.mend_rwlock()
        except GatewiseError as error:
            return f"error: {error}"
        return 0
    if name == "dvc":
        from dvc.cli import main

        return int(main(arguments))
    if name.startswith("pipeline."):
        import pipeline

        pipeline.module(name, arguments)
    else:
        sys.argv = [name, *arguments]
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    return 0
