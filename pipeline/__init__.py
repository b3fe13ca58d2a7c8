"""One thin file per DVC stage: read the parameters, call the library, write the outputs.

Under `dvc repro` the stages share one warm process (`gatewise.warm`), started by the first of
them and ended with `dvc` itself; a stage run by hand simply runs.
"""

from __future__ import annotations

import errno
import os
import runpy
import signal
import sys
from collections.abc import Callable

from gatewise import warm
from gatewise.errors import GatewiseError

# What the stages import most dearly, dearest last so that early stages find theirs first.
WARM_MODULES = (
    "pandas",
    "pyarrow.parquet",
    "torchaudio",
    "pytorch_lightning",
    "mlflow.tracking",
    "mlflow.store.tracking.sqlalchemy_store",
    "scipy.stats",
    "sklearn.linear_model",
)


def run(main: Callable[[list[str]], None], *, light: bool = False) -> None:
    """Run a stage's `main(arguments)`, turning mistakes that users can mend into one sentence.

    A `light` stage has little to import: it runs at once while the warm process still loads.
    """
    owner = None if warm.ADDRESS in os.environ else _dvc()
    if owner is not None:
        address = warm.ensure(owner, WARM_MODULES)
        if not light:
            sys.exit(_elsewhere(address))
    try:
        main(sys.argv[1:])
    except GatewiseError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print("interrupted; what was finished is kept, rerun to go on", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        where = error.filename or "while writing"
        sys.exit(f"error: the disk is full ({where}); free some space and rerun")


def module(name: str, arguments: list[str]) -> None:
    """Run `python -m name arguments` in this process; what the warm process is asked to do."""
    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _elsewhere(address: str) -> int:
    """Run this very stage in a child of the warm process and give its exit status."""
    spec = sys.modules["__main__"].__spec__
    assert spec is not None  # noqa: S101  # stages are run with -m
    child = warm.fork(address, module, [spec.name, sys.argv[1:]])
    while True:
        try:
            status = child.wait()
        except KeyboardInterrupt:
            child.send_signal(signal.SIGINT)
        else:
            return 128 - status if status < 0 else status


def _dvc() -> int | None:
    """Process id of the `dvc` that runs this stage, if one does."""
    import psutil

    for ancestor in psutil.Process().parents()[:3]:
        if any(part.rsplit("/", 1)[-1] == "dvc" for part in ancestor.cmdline()[:3]):
            return int(ancestor.pid)
    return None
