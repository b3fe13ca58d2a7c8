"""DVC's command line as a child."""

import os
import sys
from pathlib import Path

from gatewise.repro import dvc


def test_stages_find_our_python_and_may_keep_what_they_compile(monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("OF_THE_USER", "kept")
    environment = dvc.environment()
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert not environment["PYTHONDONTWRITEBYTECODE"]
    assert environment["OF_THE_USER"] == "kept"
