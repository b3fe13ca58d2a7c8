"""Importing what the mirror needs while something else is waited for.

MLflow and its store take seconds to import. `gatewise repro` waits for DVC all the time and needs
them at its end.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading

from gatewise.tracking import connection

MODULES = (
    "mlflow.tracking",
    "mlflow.store.tracking.sqlalchemy_store",
    "gatewise.tracking.mirror",
    "gatewise.tracking.pictures",
    "gatewise.serving.pyfunc",
    "mlflow.pyfunc",
)
NICENESS = 15


def begin() -> threading.Thread:
    """Import `MODULES` in a thread of low priority; returns at once."""
    connection.settle_environment()
    thread = threading.Thread(target=_load, name="loading", daemon=True)
    thread.start()
    return thread


def _load() -> None:
    if sys.platform == "linux":  # where each thread has a priority of its own
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    for name in MODULES:
        # Whoever needs it imports it again, and says then what is wrong.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
