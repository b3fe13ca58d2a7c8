"""What the mirror needs is imported while something else is waited for."""

import subprocess
import sys

from gatewise.tracking import loading

SCRIPT = """
import os, sys
from gatewise.tracking import loading
assert "mlflow" not in sys.modules
loading.MODULES = ("no_such_module", "mlflow.tracking")
niceness = os.nice(0)
loading.begin().join()
assert "mlflow.tracking" in sys.modules
assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
assert os.nice(0) == niceness
"""


def test_it_is_imported_quietly_and_without_slowing_who_waits():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_all_that_is_named_is_there():
    from importlib.util import find_spec

    assert all(find_spec(name) for name in loading.MODULES)
