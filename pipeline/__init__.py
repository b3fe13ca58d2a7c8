"""One thin file per DVC stage: read the parameters, call the library, write the outputs.

Under `dvc repro` the stages share one warm process (`gatewise.execution.warm`), started by the
first of them and ended with `dvc` itself or the retraining that runs it; a stage run by hand simply
runs.

What a study computes with (`execution.instructions`) is settled here, before a stage imports
anything that computes.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import runpy
import signal
import sys
from collections.abc import Callable

from gatewise.errors import GatewiseError, in_words, interrupt_quietly

INTERRUPTED = "interrupted; what was finished is kept, rerun to go on"
if sys.argv[:1] == ["-m"]:  # so it is while Python imports a stage that it was told to run
    interrupt_quietly(INTERRUPTED)

from gatewise.execution import warm  # noqa: E402  # the line above is for its imports, too
from gatewise.training import instructions  # noqa: E402

instructions.use(instructions.wanted())
# By hand as under `dvc repro`: what a stage computes is not to depend on the machine's width.
for _name in instructions.THREADS:
    os.environ.setdefault(_name, "1")

# What the stages import most dearly, dearest last so that early stages find theirs first.
WARM_MODULES = (
    "pandas",
    "pyarrow.parquet",
    "torchaudio",
    "pytorch_lightning",
    # Lightning looks for it at the first checkpoint of every run; it comes with DVC.
    *(["omegaconf"] if importlib.util.find_spec("omegaconf") else []),
    "mlflow.tracking",
    "mlflow.store.tracking.sqlalchemy_store",
    # Ours, but compiled code: it is loaded here once, not in every worker.
    "gatewise.training.augmentation",
    "gatewise.models.cells.compiled",
    "scipy.stats",
    "sklearn.linear_model",
    # Ours that every run, or every stage of a kind, would else import by itself.
    "gatewise.training.work",
    "gatewise.training.word_vectors",
    "gatewise.execution.preloaded",
    "gatewise.execution.tuning",
    "gatewise.execution.early_answer",
    "gatewise.tracking.live",
    "gatewise.diagnostics.probes.summary",
    "gatewise.report.page",
)

LIGHT = ("pipeline.plan", "pipeline.fetch")
"""Stages with little to import: they run at once while the warm process still loads."""

forked = False
"""Whether this process is a child of the warm one already."""


def run(main: Callable[[list[str]], None]) -> None:
    """Run a stage's `main(arguments)`, turning mistakes that users can mend into one sentence."""
    if not forked:
        spec = sys.modules["__main__"].__spec__
        _hand_over(spec.name if spec else "")
    try:
        with in_words():
            instructions.require(instructions.wanted())
            main(sys.argv[1:])
    except GatewiseError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print(INTERRUPTED, file=sys.stderr)
        sys.exit(130)


def make_ahead(*, anew: bool = False) -> None:
    """Let idle cores begin with what later stages need, where that is wanted; returns at once.

    Args:
        anew: there is a new plan.
    """
    from gatewise.execution import ahead
    from pipeline import probe

    ahead.begin(probe.make_ahead, _address(), anew=anew)


def module(name: str, arguments: list[str]) -> None:
    """Run `python -m name arguments` in this process; what the warm process is asked to do."""
    global forked  # noqa: PLW0603  # of this process, which does nothing else
    forked = True
    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _hand_over(stage: str) -> None:
    """Have the warm process run this very stage, if there is one, and end as it ends there."""
    _end_with_dvc()
    try:
        address = _address()
        if address is None or stage in LIGHT:
            return
        assert stage  # noqa: S101  # stages are run with -m
        child = warm.fork(address, module, [stage, sys.argv[1:]])
    except GatewiseError as error:
        sys.exit(f"error: {error}")
    while True:
        try:
            status = child.wait()
        except KeyboardInterrupt:
            child.send_signal(signal.SIGINT)
        else:
            sys.exit(128 - status if status < 0 else status)


def _address() -> str | None:
    """Where the warm process is that this stage shares with others, if it has others."""
    if warm.ADDRESS in os.environ:
        return os.environ[warm.ADDRESS]
    given = os.environ.get(warm.OWNER)
    owner = int(given) if given else _dvc()
    return None if owner is None else warm.ensure(owner, WARM_MODULES)


def _end_with_dvc() -> None:
    """End with the `dvc` that started this process, also if it is killed: another may follow."""
    if os.getppid() == _dvc():
        warm.die_with_parent()


def _dvc() -> int | None:
    """Process id of the `dvc` that runs this stage, if one does."""
    import psutil

    for ancestor in psutil.Process().parents()[:3]:
        # Not everybody's are to be seen: on macOS a terminal's `login` belongs to root.
        with contextlib.suppress(psutil.Error):
            if any(part.rsplit("/", 1)[-1] == "dvc" for part in ancestor.cmdline()[:3]):
                return int(ancestor.pid)
    return None


def _asked() -> str | None:
    """The stage that Python was told to run and is about to import."""
    if sys.argv[:1] != ["-m"] or "-m" not in sys.orig_argv:
        return None
    name = sys.orig_argv[sys.orig_argv.index("-m") + 1]
    return name if name.startswith(f"{__name__}.") else None


# Not even the stage's own file is imported here where it runs elsewhere: DVC starts dozens. But of
# processes that torchrun started, which end with it: that their file sees to first.
if (_stage := _asked()) is not None and "TORCHELASTIC_RUN_ID" not in os.environ:
    _hand_over(_stage)
